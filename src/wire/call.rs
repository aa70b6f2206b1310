//! A call of a command to a shop: one request on a connection of its own.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;

use crate::kit::process::Failure;
use crate::wire::folder;

/// `url` is `http://host:port`. Under a key of its own, for what is carried out once under a key.
pub async fn post(url: &str, path: &str, token: &str, body: &impl Serialize) -> Result<(StatusCode, Bytes), Failure> {
    let authority = url.strip_prefix("http://").ok_or("the address begins with http://")?.trim_end_matches('/');
    let stream = tokio::net::TcpStream::connect(authority).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(path)
        .header("host", authority)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", folder::random_hex(16)?)
        .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
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
