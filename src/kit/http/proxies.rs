//! Networks in which there are proxies of our own, and nobody else: what is said there of a client is believed, and many
//! connections from there are not one client's.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::Deserialize;

/// This machine, and networks that no address of the public internet is of (RFC 1918, RFC 4193).
const LOOPBACK: &str = "127.0.0.0/8,::1";
const PRIVATE: &str = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7";

/// `loopback`, `private`, networks such as `10.0.0.0/8` and single addresses, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxies(Vec<IpNet>);

impl Default for Proxies {
    fn default() -> Self {
        "loopback, private".parse().expect("both words are known")
    }
}

impl Proxies {
    pub fn contain(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

impl FromStr for Proxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut networks = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "loopback" => networks.extend(Self::from_str(LOOPBACK)?.0),
                "private" => networks.extend(Self::from_str(PRIVATE)?.0),
                word => {
                    let network = word.parse().or_else(|_| word.parse::<IpAddr>().map(IpNet::from));
                    let is = "a network such as 10.0.0.0/8, an address, `loopback` or `private`";
                    networks.push(network.map_err(|_| format!("`{word}` is none of {is}"))?);
                }
            }
        }
        Ok(Self(networks))
    }
}

impl TryFrom<String> for Proxies {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(proxies: &Proxies, address: &str) -> bool {
        proxies.contain(address.parse().unwrap())
    }

    #[test]
    fn unless_it_is_said_they_are_near() {
        let near =
            ["127.0.0.1", "127.8.9.9", "::1", "10.255.0.1", "172.16.0.1", "172.31.9.9", "192.168.3.4", "fd00::1"];
        let far = ["9.255.255.255", "172.32.0.1", "192.0.2.1", "203.0.113.9", "2001:db8::1", "::2", "fe80::1"];
        let proxies = Proxies::default();
        assert!(near.iter().all(|address| of(&proxies, address)) && of(&proxies, "::ffff:10.1.2.3"));
        assert!(!far.iter().any(|address| of(&proxies, address)) && !of(&proxies, "::ffff:192.0.2.1"));
    }

    #[test]
    fn they_are_those_that_are_listed() {
        let listed: Proxies = "192.0.2.0/24, 2001:db8::/32,203.0.113.7".parse().unwrap();
        for (address, is_listed) in [
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("2001:db8:9::1", true),
            ("2001:db9::1", false),
            ("203.0.113.7", true),
            ("203.0.113.8", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(of(&listed, address), is_listed, "{address}");
        }
        assert!(!of(&"".parse().unwrap(), "127.0.0.1"));
        for wrong in ["public", "10.0.0.0/33", "10.0.0", "loopback private"] {
            let said = wrong.parse::<Proxies>().unwrap_err();
            assert!(said.contains(wrong), "{said}");
        }
    }
}
