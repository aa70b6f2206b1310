//! A client at a socket: sends, receives, and does not wait for ever.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Far longer than anything here takes on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn knock(address: SocketAddr, request: Request) -> Result<(Client, Response), Error> {
    over(TcpStream::connect(address).await.unwrap(), request).await
}

/// From this address of the machine.
pub async fn knock_from(from: Ipv4Addr, address: SocketAddr, request: Request) -> Result<Client, Error> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    Ok(over(socket.connect(address).await.unwrap(), request).await?.0)
}

async fn over(stream: TcpStream, request: Request) -> Result<(Client, Response), Error> {
    let config = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
    let (socket, response) = client_async_with_config(request, stream, Some(config)).await?;
    Ok((Client { socket }, response))
}

pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn say(&mut self, word: Value) {
        self.send(Message::text(word.to_string())).await;
    }

    /// Into a connection that the other side may have ended already.
    pub async fn send(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something is received in time")
    }

    /// The next message of this type; others are passed over.
    #[track_caller]
    pub fn hear<'a>(&'a mut self, kind: &'a str) -> impl Future<Output = Value> + 'a {
        let place = std::panic::Location::caller();
        let until = Instant::now() + PATIENCE;
        async move {
            loop {
                // Heartbeats alone do not keep the hope alive.
                assert!(Instant::now() < until, "{place}: no {kind} is received in time");
                match self.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let word: Value = serde_json::from_str(&text).unwrap();
                        if word["type"] == kind {
                            return word;
                        }
                        assert_ne!(word["type"], "bye", "{place}: {word}");
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => panic!("{place}: {other:?} instead of {kind}"),
                }
            }
        }
    }

    pub async fn status(&mut self) -> Value {
        self.hear("status").await
    }

    /// A sale's counters, once this one reads like this.
    pub async fn counters_with(&mut self, key: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        loop {
            let counters = self.hear("sale").await;
            if counters[key] == value {
                return counters;
            }
        }
    }

    /// Everything that is told before the answer to this ping, of this type.
    pub async fn before_pong(&mut self, kind: &str) -> Vec<Value> {
        self.say(json!({ "type": "ping" })).await;
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    let word: Value = serde_json::from_str(&text).unwrap();
                    match word["type"].as_str().unwrap() {
                        "pong" => return heard,
                        word_kind if word_kind == kind => heard.push(word),
                        _ => {}
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?} instead of pong"),
            }
        }
    }

    /// The code of the close, and the `bye` before it, if one was said.
    pub async fn closed(&mut self) -> (u16, Value) {
        let mut bye = Value::Null;
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => {
                    let word: Value = serde_json::from_str(&text).unwrap();
                    if word["type"] == "bye" {
                        bye = word;
                    }
                }
                Some(Ok(Message::Close(frame))) => return (frame.unwrap().code.into(), bye),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a close"),
            }
        }
    }
}

pub async fn until(mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it becomes so in time");
}
