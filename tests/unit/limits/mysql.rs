//! How often a transaction is tried, after what waits, and over how many connections, by a counterpart that speaks as much of
//! MySQL as that takes.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::sale::SaleState;
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::sale::catalogue::Catalogue;
use miaosha::ports::sale::showcase::Showcase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::support::held::{Hold, Still, at_once};

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const OK_IN_TRANSACTION: &[u8] = &[0, 0, 0, 3, 0, 0, 0];

/// What becomes of a statement that is no setting.
#[derive(Clone)]
enum NetworkFault {
    /// It stood in the way of another transaction.
    InTheWay,
    /// It is answered when the test lets it, and that it was in the way.
    Held(Hold),
}

struct Mysql {
    url: String,
    /// When each transaction began, and when it was undone.
    begun: Arc<Mutex<Vec<Instant>>>,
    undone: Arc<Mutex<Vec<Instant>>>,
}

impl Mysql {
    async fn start(fault: NetworkFault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mysql://u@{}/shop", listener.local_addr().unwrap());
        let here = Self { url, begun: Arc::default(), undone: Arc::default() };
        let (begun, undone) = (here.begun.clone(), here.undone.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let talk = Talk { stream, fault: fault.clone(), begun: begun.clone(), undone: undone.clone() };
                // A client that goes is no matter of ours.
                tokio::spawn(async move { drop(talk.serve().await) });
            }
        });
        here
    }
}

struct Talk {
    stream: TcpStream,
    fault: NetworkFault,
    begun: Arc<Mutex<Vec<Instant>>>,
    undone: Arc<Mutex<Vec<Instant>>>,
}

impl Talk {
    async fn serve(mut self) -> std::io::Result<()> {
        self.send(0, &greeting()).await?;
        self.read().await?;
        self.send(2, OK).await?;
        loop {
            let packet = self.read().await?;
            let text = String::from_utf8_lossy(&packet[1..]).into_owned();
            let now = Instant::now();
            match packet[0] {
                // A text: transactions, and settings of the session.
                3 => {
                    let is = |word: &str| text.starts_with(word);
                    let begins = is("BEGIN") || is("START");
                    if begins {
                        self.begun.lock().unwrap().push(now);
                    } else if is("ROLLBACK") {
                        self.undone.lock().unwrap().push(now);
                    }
                    self.send(1, if begins { OK_IN_TRANSACTION } else { OK }).await?;
                }
                // To be prepared: settings, which have neither parameters nor columns; and everything else.
                22 if text.starts_with("SET ") => self.send(1, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await?,
                22 => {
                    if let NetworkFault::Held(hold) = &self.fault {
                        hold.enter().await;
                    }
                    self.send(1, b"\xff\xbd\x04#40001Deadlock found").await?;
                }
                // The end of a connection, and of a statement.
                1 => return Ok(()),
                25 => {}
                _ => self.send(1, OK).await?,
            }
        }
    }

    async fn send(&mut self, number: u8, payload: &[u8]) -> std::io::Result<()> {
        let length = (payload.len() as u32).to_le_bytes();
        let packet = [&length[..3], &[number], payload].concat();
        self.stream.write_all(&packet).await
    }

    async fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let length = self.stream.read_u32_le().await? & 0x00ff_ffff;
        let mut packet = vec![0; length as usize];
        self.stream.read_exact(&mut packet).await?;
        Ok(packet)
    }
}

/// Of a server that asks for a password by its oldest way, and takes any.
fn greeting() -> Vec<u8> {
    let capabilities: u32 = 0x000f_f7ff & !0x0800 | 0x0100_0000;
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut greeting = b"\x0a8.0.36\0\x01\0\0\0saltsalt\0".to_vec();
    greeting.extend([a, b, 45, 2, 0, c, d, 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"saltsaltsalt\0mysql_native_password\0");
    greeting
}

/// Of the waits, those after the seventh try are any from 1 ms to the longest; of so many, one is.
#[tokio::test(start_paused = true)]
async fn a_transaction_is_tried_so_often() {
    let mysql = Mysql::start(NetworkFault::InTheWay).await;
    let store = MysqlStore::connect(mysql.url.as_str(), 1).await.unwrap();
    for times in 1..=200 {
        let fault = store.set_state(SaleId(1), SaleState::Closed).await.unwrap_err();
        assert_eq!(mysql.begun.lock().unwrap().len(), 20 * times, "{fault}");
    }
    let (begun, undone) = (mysql.begun.lock().unwrap(), mysql.undone.lock().unwrap());
    let waits = undone.iter().zip(&begun[1..]).map(|(undone, begun)| (*begun - *undone).as_millis());
    assert_eq!(waits.max(), Some(100));
}

#[tokio::test(start_paused = true)]
async fn so_many_connections_to_the_database() {
    let (_still, hold) = (Still::new(), Hold::new());
    let mysql = Mysql::start(NetworkFault::Held(hold.clone())).await;
    let store = MysqlStore::connect(mysql.url.as_str(), 3).await.unwrap();
    at_once(3, &hold, join_all((1..=4).map(|id| store.sale(SaleId(id))))).await;
}

#[tokio::test(start_paused = true)]
async fn so_many_connections_to_its_copy() {
    let (_still, hold, primary) = (Still::new(), Hold::new(), Mysql::start(NetworkFault::InTheWay).await);
    let copy = Mysql::start(NetworkFault::Held(hold.clone())).await;
    let store = MysqlStore::connect(primary.url.as_str(), 1).await.unwrap();
    let store = store.with_replica(copy.url.as_str(), 3).unwrap();
    at_once(3, &hold, join_all((1..=4).map(|id| store.sale_shown(SaleId(id))))).await;
}
