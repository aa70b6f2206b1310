//! Connections from one network, connections of all, and requests that come before the answers are read.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, web};
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::probes::{self, Readiness};
use miaosha::kit::http::server::{self, ServerSettings};
use miaosha::kit::telemetry;
use miaosha::kit::work::lifecycle::Lifecycle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

const ASK: &[u8] = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
/// Nobody is so slow; who waits for longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether a question is answered; the connection may be ended instead, and is not left in silence.
pub async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = Vec::new();
    if stream.write_all(ASK).await.is_err() {
        return false;
    }
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        match timeout(PATIENCE, stream.read_buf(&mut answer)).await.expect("silence") {
            Ok(1..) => {}
            _ => return false,
        }
    }
    true
}

fn serve(connections: Connections) -> (SocketAddr, ServerHandle) {
    let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
    let ok = || async { HttpResponse::Ok().finish() };
    let bound = server::bind(&settings, 1_000, connections, move || App::new().default_service(web::to(ok)));
    let (address, server) = bound.unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

#[actix_web::test]
async fn one_address_does_not_keep_others_out() {
    let settings = ServerSettings { connections_per_network_max: 8, ..ServerSettings::default() };
    let settings = ServerSettings { trusted_proxies: "".parse().unwrap(), ..settings };
    let (address, handle) = serve(settings.connections(1_000));
    let mut flood = Vec::new();
    for _ in 0..8 {
        let mut stream = connect("127.0.0.1", address).await;
        assert!(is_answered(&mut stream).await);
        flood.push(stream);
    }
    for _ in 0..20 {
        assert!(!is_answered(&mut connect("127.0.0.1", address).await).await, "a ninth");
    }
    assert!(is_answered(&mut connect("127.0.0.2", address).await).await, "another address");
    assert!(is_answered(&mut flood[7]).await, "those that are there go on");
    flood.pop();
    while !is_answered(&mut connect("127.0.0.1", address).await).await {
        tokio::task::yield_now().await;
    }
    handle.stop(false).await;
}

/// From many addresses, beyond all that there is room for: each that is one too many is turned away, and the probes are not among them.
#[actix_web::test]
async fn a_full_process_still_says_that_it_lives() {
    let (address, handle) = serve(Connections::new(12, 1_000, "".parse().unwrap()));
    let readiness = Readiness::new(Lifecycle::new().soft.clone());
    let inner = probes::bind(([127, 0, 0, 1], 0).into(), readiness, telemetry::init_metrics(), |_| {});
    let (inner, probes) = inner.unwrap();
    let probing = probes.handle();
    tokio::spawn(probes);
    let mut flood = Vec::new();
    for host in 0..12 {
        let mut stream = connect(&format!("127.0.0.{}", 10 + host / 3), address).await;
        assert!(is_answered(&mut stream).await, "the {host}th");
        flood.push(stream);
    }
    for host in 20..70 {
        assert!(!is_answered(&mut connect(&format!("127.0.0.{host}"), address).await).await, "it is full");
    }
    for _ in 0..3 {
        assert!(is_answered(&mut connect("127.0.0.10", inner).await).await, "and says that it lives");
    }
    flood.pop();
    while !is_answered(&mut connect("127.0.0.99", address).await).await {
        tokio::task::yield_now().await;
    }
    handle.stop(false).await;
    probing.stop(false).await;
}

/// What it was sent.
async fn echo(req: HttpRequest, body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().body(format!("[{} {} {}]", req.method(), req.path(), String::from_utf8_lossy(&body)))
}

fn echoing() -> (SocketAddr, ServerHandle) {
    let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
    let app = || App::new().default_service(web::to(echo));
    let (address, server) = server::bind(&settings, 1_000, Connections::default(), app).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

/// Questions of every shape, one behind the other, cut anywhere: each is answered, in its turn, as if it had come alone.
#[actix_web::test]
async fn what_comes_at_once_is_answered_in_its_order() {
    let long = "y".repeat(20_000);
    let shapes = [
        ("GET /a HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), "[GET /a ]".to_owned()),
        ("POST /b HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n\r\n\r\nz".to_owned(), "[POST /b \r\n\r\nz]".to_owned()),
        ("POST /c HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".to_owned(), "[POST /c ]".to_owned()),
        (
            "POST /d HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n5;q=1\r\n\r\n\r\nd\r\n0\r\n\r\n".to_owned(),
            "[POST /d abc\r\n\r\nd]".to_owned(),
        ),
        (format!("POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: 20000\r\n\r\n{long}"), format!("[POST /e {long}]")),
        ("\r\nGET /f HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\r\n".to_owned(), "[GET /f ]".to_owned()),
        ("GET /g HTTP/1.1\nhost: x\n\n".to_owned(), "[GET /g ]".to_owned()),
    ];
    let (address, handle) = echoing();
    for round in 0..40_usize {
        let order: Vec<usize> = (0..24).map(|_| fastrand::usize(..shapes.len())).collect();
        let asked: String = order.iter().map(|shape| shapes[*shape].0.as_str()).collect();
        let expected: Vec<&str> = order.iter().map(|shape| shapes[*shape].1.as_str()).collect();
        let (mut reads, mut writes) = TcpStream::connect(address).await.unwrap().into_split();
        let cut = if round == 0 { asked.len() } else { 1 + fastrand::usize(..2_000) };
        let writing = tokio::spawn(async move {
            for piece in asked.as_bytes().chunks(cut) {
                writes.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            writes
        });
        let (mut said, mut answers) = (String::new(), 0);
        while answers < expected.len() {
            let mut piece = Vec::with_capacity(64 * 1024);
            assert!(reads.read_buf(&mut piece).await.unwrap() > 0, "round {round}, cut by {cut}: {said}");
            answers += piece.iter().filter(|byte| **byte == b']').count();
            said.push_str(std::str::from_utf8(&piece).unwrap());
        }
        let heard: Vec<&str> = said.split('[').skip(1).map(|part| part.split(']').next().unwrap()).collect();
        let heard: Vec<String> = heard.iter().map(|part| format!("[{part}]")).collect();
        assert_eq!(heard, expected, "round {round}, cut by {cut}");
        drop(writing.await.unwrap());
    }
    handle.stop(false).await;
}

/// However much a client sends, it is not read on while it reads no answer: here answers have no bodies, and the kernel keeps some.
#[actix_web::test]
async fn who_reads_no_answer_is_not_read() {
    let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
    let nothing = || async { HttpResponse::NoContent().finish() };
    let bound =
        server::bind(&settings, 1_000, Connections::default(), move || App::new().default_service(web::to(nothing)));
    let (address, server) = bound.unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = socket.connect(address).await.unwrap();
    let (asked, mut sent) = (ASK.repeat(1_000), 0);
    while let Ok(written) = timeout(Duration::from_secs(2), client.write(&asked[sent % ASK.len()..])).await {
        sent += written.unwrap();
        assert!(sent < 64 << 20, "it goes on reading");
    }
    // What was asked is answered once it is read, and then more is.
    let mut bytes = vec![0; 1 << 16];
    let mut answers = 0;
    while answers < sent / ASK.len() {
        let read = client.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{answers} answers, and then the end");
        answers += bytes[..read].iter().filter(|byte| **byte == b'H').count();
    }
    handle.stop(false).await;
}
