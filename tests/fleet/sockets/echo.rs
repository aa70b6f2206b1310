//! What a conformance suite talks to: each message is sent back, over the very frames that buyers have.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use actix_web::dev::RequestHead;
use actix_web::web::{self, Payload};
use actix_web::{App, HttpRequest, HttpServer, rt};
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::problem::Problem;
use miaosha::kit::socket::lean::{self, LeanSettings};
use miaosha::kit::socket::shop;
use miaosha::kit::socket::{Incoming, Outgoing, Socket, Welcome};

const ANYWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
const MESSAGE_BYTES_MAX: usize = 17 << 20;
/// What may wait for a client to read it before more is read from that client.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How long who broke the rules may take to go.
const LINGER: Duration = Duration::from_millis(500);

#[derive(Clone)]
struct Echo;

impl Welcome for Echo {
    type Guest = ();

    const PROTOCOL: &'static str = "echo";

    fn welcome(&self, _head: &RequestHead) -> Result<(), Problem> {
        Ok(())
    }

    fn message_bytes_max(&self) -> usize {
        MESSAGE_BYTES_MAX
    }

    fn start<S: Socket + 'static>(&self, _guest: (), socket: S) {
        rt::spawn(serve(socket));
    }
}

/// Each serves for as long as this process lives, on a thread of its own.
pub fn over_the_lean_frames() -> SocketAddr {
    serving(|| {
        let settings = LeanSettings { workers: 1, ..LeanSettings::default() };
        lean::bind(&settings, ANYWHERE, Connections::default(), "/", Echo)
    })
}

pub fn over_the_shops_frames() -> SocketAddr {
    serving(|| {
        let handler = |req: HttpRequest, payload: Payload| async move { shop::upgrade(&Echo, &req, payload).await };
        let server = HttpServer::new(move || App::new().route("/", web::get().to(handler))).workers(1);
        let server = server.disable_signals().bind(ANYWHERE)?;
        Ok((server.addrs()[0], server.run()))
    })
}

fn serving<S: Future<Output = io::Result<()>>>(
    bind: impl FnOnce() -> io::Result<(SocketAddr, S)> + Send + 'static,
) -> SocketAddr {
    let (told, address) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async move {
            let (address, server) = bind().unwrap();
            told.send(address).unwrap();
            server.await.unwrap();
        });
    });
    address.recv().unwrap()
}

async fn serve<S: Socket>(mut socket: S) {
    let mut heard = Vec::new();
    let mut todo = VecDeque::new();
    let mut last = None;
    poll_fn(|cx| {
        loop {
            while last.is_none()
                && socket.waiting_bytes() < WAITING_BYTES_MAX
                && let Some(frame) = todo.pop_front()
            {
                last = answer(&mut socket, frame);
            }
            let flushed = socket.poll_flush(cx);
            if last.is_some() || matches!(flushed, Poll::Ready(Err(_))) {
                return flushed.map(|_| ());
            }
            if !todo.is_empty() {
                if flushed.is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            if socket.poll_read(cx, &mut heard).is_pending() {
                return Poll::Pending;
            }
            todo.extend(heard.drain(..));
        }
    })
    .await;
    if last == Some(Last::Broken) {
        // An end before the close was read would take the close along.
        let gone = poll_fn(|cx| {
            heard.clear();
            while socket.poll_read(cx, &mut heard).is_ready() {
                if heard.contains(&Incoming::Gone) {
                    return Poll::Ready(());
                }
                heard.clear();
            }
            Poll::Pending
        });
        let _late = tokio::time::timeout(LINGER, gone).await;
    }
}

#[derive(PartialEq, Eq)]
enum Last {
    Said,
    Broken,
}

fn answer(socket: &mut impl Socket, frame: Incoming) -> Option<Last> {
    match frame {
        Incoming::Text(text) => socket.send(Outgoing::Text(text)),
        Incoming::Binary(bytes) => socket.send(Outgoing::Binary(bytes)),
        Incoming::Ping(bytes) => socket.send(Outgoing::Pong(bytes)),
        Incoming::Pong => {}
        Incoming::Close(_) => {
            socket.send(Outgoing::Close(1000, ""));
            return Some(Last::Said);
        }
        Incoming::Broken(broken) => {
            socket.send(Outgoing::Close(broken.code(), ""));
            return Some(Last::Broken);
        }
        Incoming::Gone => return Some(Last::Said),
    }
    None
}
