//! An HTTP server that answers as the test says, or never does.

use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::held::Stuck;

#[derive(Debug, Clone)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    pub body: String,
}

impl Asked {
    /// Of the query, or of a form.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let mut pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(self.body.as_bytes()));
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// What is said: a status, and a body of this type.
pub type Said = (u16, &'static str, String);

/// Where it listens. Who hangs up is not answered any more.
pub async fn counterpart<F, A>(answer: F) -> String
where
    F: Fn(Asked) -> A + Clone + Send + 'static,
    A: Future<Output = Said> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    url
}

/// The same of one that never answers.
pub async fn silent(stuck: &Stuck) -> String {
    let stuck = stuck.clone();
    counterpart(move |_| {
        let stuck = stuck.clone();
        async move { stuck.stay().await }
    })
    .await
}

async fn serve<A: Future<Output = Said>>(mut stream: TcpStream, answer: impl Fn(Asked) -> A) {
    while let Some(asked) = read(&mut stream).await {
        let mut more = [0];
        let (status, kind, body) = tokio::select! {
            said = answer(asked) => said,
            // A client does not send the next request before it has its answer: this is the end.
            _ = stream.read(&mut more) => return,
        };
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value).next();
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let target = head.split(' ').nth(1)?.to_owned();
    Some(Asked { target, body: String::from_utf8(body).ok()? })
}
