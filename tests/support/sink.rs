//! A mail server that does what a test plans: it takes mail, refuses it, falls silent, or hangs up at the worst moment.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, watch};

/// What is done with the next mail.
#[derive(Debug, Clone)]
pub enum Act {
    Take,
    /// Says this to the sender's, or the recipient's, name.
    AnswerMail(&'static str),
    AnswerRcpt(&'static str),
    /// Says this to the whole mail, and keeps nothing.
    AnswerData(&'static str),
    /// Reads the whole mail, keeps nothing, and says nothing more.
    Silent,
    /// Keeps the mail, and does not say so.
    TakeSilently,
    /// Reads the whole mail and hangs up.
    Die,
    /// Keeps the mail, and hangs up without saying so.
    TakeAndDie,
    /// Takes it, and never says good-bye.
    TakeAndHang,
}

#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    acts: VecDeque<Act>,
    mails: Vec<Received>,
    down: bool,
}

pub struct Sink {
    pub port: u16,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
    silent: Arc<Semaphore>,
    listener: tokio::task::JoinHandle<()>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let (count, silent) = (Arc::new(watch::Sender::new(0)), Arc::new(Semaphore::new(0)));
        let serving = (state.clone(), count.clone(), silent.clone());
        let listener = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (state, count, silent) = serving.clone();
                if !state.lock().unwrap().down {
                    tokio::spawn(async move {
                        let (reader, writer) = stream.into_split();
                        let lines = BufReader::new(reader);
                        // A client that hangs up in the middle is no failure of the server.
                        let _ = Talk { lines, writer, state, count, silent }.serve().await;
                    });
                }
            }
        });
        Self { port, state, count, silent, listener }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn plan(&self, acts: impl IntoIterator<Item = Act>) {
        self.state.lock().unwrap().acts.extend(acts);
    }

    /// Everybody is hung up on until it is up again.
    pub fn down(&self, down: bool) {
        self.state.lock().unwrap().down = down;
    }

    pub fn mails(&self) -> Vec<Received> {
        self.state.lock().unwrap().mails.clone()
    }

    /// Waits until this many were taken, and fails when there are more.
    pub async fn wait_for(&self, mails: usize) -> Vec<Received> {
        let mut count = self.count.subscribe();
        let taken = tokio::time::timeout(Duration::from_secs(60), count.wait_for(|count| *count >= mails)).await;
        taken.unwrap_or_else(|_| panic!("{} mails of {mails} came", self.mails().len())).unwrap();
        let all = self.mails();
        assert_eq!(all.len(), mails);
        all
    }

    /// Waits until a mail was answered by silence.
    pub async fn fell_silent(&self) {
        let silent = tokio::time::timeout(Duration::from_secs(60), self.silent.acquire());
        silent.await.expect("a mail came").unwrap().forget();
    }
}

struct Talk {
    lines: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
    silent: Arc<Semaphore>,
}

impl Talk {
    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.writer.write_all(format!("{line}\r\n").as_bytes()).await
    }

    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.lines.read_until(b'\n', &mut line).await?;
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        Ok((read > 0).then_some(text))
    }

    async fn serve(mut self) -> std::io::Result<()> {
        self.say("220 sink ESMTP").await?;
        let (mut from, mut to, mut act) = (String::new(), String::new(), Act::Take);
        while let Some(line) = self.line().await? {
            let verb = line.to_ascii_uppercase();
            if verb.starts_with("EHLO ") {
                self.say("250-sink\r\n250 8BITMIME").await?;
            } else if verb.starts_with("MAIL FROM:") {
                act = self.state.lock().unwrap().acts.pop_front().unwrap_or(Act::Take);
                from = between(&line);
                self.say(if let Act::AnswerMail(answer) = act { answer } else { "250 ok" }).await?;
            } else if verb.starts_with("RCPT TO:") {
                to = between(&line);
                self.say(if let Act::AnswerRcpt(answer) = act { answer } else { "250 ok" }).await?;
            } else if verb == "DATA" {
                self.say("354 go on").await?;
                let bytes = self.data().await?;
                let received = Received { from: from.clone(), to: to.clone(), bytes };
                if !self.answer(&act, received).await? {
                    return Ok(());
                }
            } else if verb == "QUIT" {
                if matches!(act, Act::TakeAndHang) {
                    std::future::pending::<()>().await;
                }
                return self.say("221 bye").await;
            } else {
                self.say("500 what?").await?;
            }
        }
        Ok(())
    }

    /// Whether the talk goes on.
    async fn answer(&mut self, act: &Act, received: Received) -> std::io::Result<bool> {
        match act {
            Act::Take | Act::TakeAndHang => {
                self.keep(received);
                self.say("250 taken").await?;
            }
            Act::AnswerData(answer) => self.say(answer).await?,
            Act::Silent | Act::TakeSilently => {
                if matches!(act, Act::TakeSilently) {
                    self.keep(received);
                }
                self.silent.add_permits(1);
                // Until the other side is gone.
                while self.line().await?.is_some() {}
                return Ok(false);
            }
            Act::Die => return Ok(false),
            Act::TakeAndDie => {
                self.keep(received);
                return Ok(false);
            }
            Act::AnswerMail(_) | Act::AnswerRcpt(_) => self.say("503 not now").await?,
        }
        Ok(true)
    }

    fn keep(&self, received: Received) {
        self.state.lock().unwrap().mails.push(received);
        self.count.send_modify(|count| *count += 1);
    }

    /// Without the last dot, and with the dots that were doubled for the way made single again.
    async fn data(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == b".\r\n" {
                return Ok(bytes);
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }
}

fn between(line: &str) -> String {
    let from = line.find('<').map_or(0, |at| at + 1);
    line[from..line.find('>').unwrap_or(line.len())].to_owned()
}

/// A port on which nothing listens.
pub async fn nobodys_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}
