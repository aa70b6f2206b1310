//! What a server takes: connections, what its clients leave unread, and an operator's command.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpRequest, web};
use miaosha::kit::http::body;
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::server::{self, ServerSettings, end_when_unread};
use miaosha::kit::socket::lean::{self, LeanSettings};
use miaosha::wire::commands::Commands;
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::floods::is_answered;
use super::heads::Nobody;

/// Of two connections both are served; a third is turned away, until one of them has ended.
#[actix_web::test]
async fn a_worker_has_so_many_connections() {
    let settings = ServerSettings { workers: 1, connections_max: 2, ..ServerSettings::default() };
    let app = || App::new().default_service(web::to(async || "ok"));
    let (address, running) = server::bind(&settings, 1_000, Connections::default(), app).unwrap();
    let handle = running.handle();
    tokio::spawn(running);
    let mut served = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(is_answered(&mut stream).await);
        served.push(stream);
    }
    for _ in 0..50 {
        assert!(!is_answered(&mut TcpStream::connect(address).await.unwrap()).await, "three are served");
        assert!(is_answered(&mut served[0]).await && is_answered(&mut served[1]).await, "those that are there go on");
    }
    served.pop();
    while !is_answered(&mut TcpStream::connect(address).await.unwrap()).await {
        tokio::task::yield_now().await;
    }
    handle.stop(false).await;
}

/// The same head is left where it is while the limit is far.
#[actix_web::test]
async fn a_head_that_never_ends_ends_its_connection() {
    let connect = async |head_ms_max| {
        let settings = ServerSettings { workers: 1, head_ms_max, ..ServerSettings::default() };
        let (address, server) = server::bind(&settings, 1_000, Connections::default(), App::new).unwrap();
        tokio::spawn(server);
        begin(address).await
    };
    let late = connect(600_000).await;
    ends_and_does_not(connect(1).await, late).await;
    let settings = ServerSettings { head_ms_max: 70, ..ServerSettings::default() };
    assert_eq!(settings.head_timeout().as_millis(), 70);
}

/// A body that never ends is answered, and its connection ends with the answer.
#[actix_web::test]
async fn a_body_that_never_ends_ends_its_connection() {
    let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
    let server = server::bind(&settings, 1_000, Connections::default(), || {
        let reads = async |req: HttpRequest, payload: web::Payload| {
            body::read_any(req.headers(), &mut payload.into_inner(), 1_000).await
        };
        App::new().default_service(web::to(reads))
    });
    let (address, running) = server.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let handle = running.handle();
    tokio::spawn(running);
    stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("/problems/request_timeout"), "{answer}");
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_socket_s_head_that_never_ends_ends_its_connection() {
    let connect = async |head_ms_max| {
        let settings = LeanSettings { workers: 1, head_ms_max, ..LeanSettings::default() };
        let (address, server) =
            lean::bind(&settings, "127.0.0.1:0".parse().unwrap(), Connections::default(), "/", Nobody).unwrap();
        tokio::spawn(server);
        begin(address).await
    };
    let late = connect(600_000).await;
    ends_and_does_not(connect(1).await, late).await;
    let settings = LeanSettings { head_ms_max: 70, ..LeanSettings::default() };
    assert_eq!(settings.head_timeout().as_millis(), 70);
}

async fn begin(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    stream
}

async fn ends_and_does_not(mut soon: TcpStream, mut late: TcpStream) {
    let mut said = Vec::new();
    let _ = soon.read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said);
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("/problems/request_timeout"), "{said}");
    late.write_all(b"\r\n").await.unwrap();
    assert!(late.read(&mut [0; 12]).await.unwrap() > 0, "its head is answered when it ends");
}

/// The system keeps one more than it is told, and does not accept the others. The server does not run yet.
#[actix_web::test]
async fn a_server_keeps_so_many_waiting_to_be_accepted() {
    let settings = ServerSettings { workers: 1, backlog_max: 2, ..ServerSettings::default() };
    let (address, _server) = server::bind(&settings, 1_000, Connections::default(), App::new).unwrap();
    let address = address.into();
    let waiting = [(); 5].map(|()| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        socket
    });
    assert_eq!(waiting.iter().filter(|socket| socket.peer_addr().is_ok()).count(), 2 + 1);
}

#[tokio::test]
async fn the_system_is_told_how_long_it_keeps_what_is_unread() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let settings = ServerSettings { unread_ms_max: 1_234, ..ServerSettings::default() };
    end_when_unread(&stream, settings.unread());
    assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(Duration::from_millis(1_234)));
}

/// A shop that is still starting says so to whatever it has read.
#[actix_web::test]
async fn a_command_has_its_length() {
    let commands = Commands::new().unwrap();
    let app = init_service(App::new().configure(|cfg| commands.routes(cfg))).await;
    for (bytes, status) in [(16_777_216, 503), (16_777_217, 413)] {
        let mut body = br#"{"parked":null}"#.to_vec();
        body.resize(bytes, b' ');
        let request = TestRequest::post().uri("/commands").insert_header(("content-type", "application/json"));
        let request = request.insert_header(("authorization", format!("Bearer {}", commands.secret())));
        let response = call_service(&app, request.set_payload(body).to_request()).await;
        assert_eq!(response.status().as_u16(), status, "{bytes} bytes");
    }
}
