//! A call of a command to a shop: one request on a connection of its own. In clear a token goes to this machine and to private
//! networks, and no further.

use std::net::IpAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

use crate::adapters::tls::Trust;
use crate::kit::http::proxies::Proxies;
use crate::kit::process::Failure;
use crate::wire::folder;

/// `url` is `http://host:port` or `https://host`. Under a key of its own, for what is carried out once under a key.
pub async fn post(
    url: &str,
    trust: &Trust,
    path: &str,
    token: &str,
    body: &impl Serialize,
) -> Result<(StatusCode, Bytes), Failure> {
    let url = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err("the address names no host".into());
    };
    let host = host.trim_matches(['[', ']']);
    let request = Request::post(path)
        .header("host", &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", folder::random_hex(16)?)
        .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
    match url.scheme() {
        "https" => answered(trust.connect(host, TcpStream::connect((host, port)).await?).await?, request).await,
        "http" => {
            let stream = TcpStream::connect((host, port)).await?;
            check_near(stream.peer_addr()?.ip())?;
            answered(stream, request).await
        }
        _ => Err("the address begins with https:// or http://".into()),
    }
}

async fn answered(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Failure> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let answer = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    };
    tokio::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // What came before its end is still to be read.
        _ = connection => answer.await,
    }
}

/// Before anything is sent.
fn check_near(peer: IpAddr) -> Result<(), Failure> {
    if Proxies::default().contain(peer) {
        return Ok(());
    }
    let why = "is in no private network, and the token would go there in clear: come by https";
    Err(format!("{peer} {why}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_no_further_than_private_networks_in_clear() {
        for near in ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::1"] {
            check_near(near.parse().unwrap()).unwrap();
        }
        for far in ["203.0.113.9", "2001:db8::1"] {
            let said = check_near(far.parse().unwrap()).unwrap_err().to_string();
            assert!(said.contains(far) && said.contains("in clear"), "{said}");
        }
    }
}
