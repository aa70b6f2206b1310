//! What runs at CloudFront, in an engine of JavaScript: whose request it is.

use super::fixture::story;
use super::words::Tongue;

const NETWORK: &str = include_str!("../../../terraform/modules/edge/network.js");

/// One customer of IPv6 has 2^64 addresses; what a client says of itself is written over.
#[tokio::test]
async fn addresses_of_one_network_are_told_as_one() {
    story("cloudfront", async |fixture| {
        let window = fixture.window(Tongue::English).await;
        let cases = [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:0DB8:0001:0002::7", "2001:db8:1:2::"),
            ("2001:db8:1:2::", "2001:db8:1:2::"),
            ("2001:db8:1:3::7", "2001:db8:1:3::"),
            ("2001:db8::7", "2001:db8:0:0::"),
            ("2001:db8::2:3:4:5:6", "2001:db8:0:2::"),
            ("::2:3:4:5:6:7:8", "0:2:3:4::"),
            ("::1", "0:0:0:0::"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ];
        for (address, network) in cases {
            let script = format!(
                "{NETWORK}\nconst request = {{ headers: {{ 'x-miaosha-network': {{ value: '192.0.2.1' }} }} }};\n\
                 return handler({{ request, viewer: {{ ip: '{address}' }} }}).headers['x-miaosha-network'].value;"
            );
            assert_eq!(window.run(&script).await, network, "{address}");
        }
    })
    .await;
}
