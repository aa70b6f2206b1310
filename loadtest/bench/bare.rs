//! The references of decisions: a script that does the least there is to decide one attempt, called once for each; through
//! the client library that the shop uses, and over bare sockets with nothing between them and the server.

use std::time::{Duration, Instant};

use fred::prelude::{Builder, Client, ClientLike, Config, LuaInterface};
use fred::types::config::TcpConfig;
use fred::types::scripts::Script;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::shots::FIRST_BUYER;

/// Calls on their way at once: more do not make it faster.
const CALLS: u64 = 64;
const SOCKETS: u64 = 4;

/// Is the buyer in, is one free, then it is theirs.
const DECIDE: &str = "
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 2 end
if tonumber(redis.call('GET', KEYS[1]) or ARGV[2]) < 1 then return 0 end
redis.call('SET', KEYS[1], (redis.call('GET', KEYS[1]) or ARGV[2]) - 1)
redis.call('HSET', KEYS[2], ARGV[1], 1)
return 1";

/// Decisions per second through the client library.
pub async fn by_client(url: &str, capacity: u32, counted: Duration) -> Result<f64, fred::error::Error> {
    let client: Client = Builder::from_config(Config::from_url(url)?)
        .with_connection_config(|connection| {
            connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
        })
        .build()?;
    client.init().await?;
    let (keys, capacity) = (keys(), capacity.to_string());
    let script = Script::from_lua(DECIDE);
    // A server that was sent the text knows it by its hash from then on.
    client.eval::<(), _, _, _>(DECIDE, keys.clone(), vec!["0", &capacity]).await?;
    let begun = Instant::now();
    let callers = (0..CALLS).map(|caller| {
        let (keys, script, capacity, client) = (&keys, &script, &capacity, &client);
        async move {
            let mut count = 0;
            while begun.elapsed() < counted {
                let buyer = (FIRST_BUYER + caller + count * CALLS).to_string();
                script.evalsha::<i64, _, _, _>(client, keys.clone(), vec![&buyer, capacity]).await?;
                count += 1;
            }
            Ok::<u64, fred::error::Error>(count)
        }
    });
    let decided: u64 = try_join_all(callers).await?.into_iter().sum();
    let rate = decided as f64 / begun.elapsed().as_secs_f64();
    client.quit().await?;
    Ok(rate)
}

/// Decisions per second over bare sockets, as many calls on their way.
pub async fn by_sockets(url: &str, capacity: u32, counted: Duration) -> Result<f64, String> {
    let (keys, capacity) = (keys(), capacity.to_string());
    let load = command(&["SCRIPT", "LOAD", DECIDE]);
    let mut found = None;
    for address in addresses(url) {
        let mut socket = TcpStream::connect(&address).await.map_err(|error| error.to_string())?;
        if !ask(&mut socket, &command(&["GET", &keys[0]])).await?.starts_with("-MOVED") {
            // `$40`, then the hash.
            found = ask(&mut socket, &load).await?.lines().nth(1).map(|hash| (address, hash.to_owned()));
        }
    }
    let (address, hash) = found.ok_or("no Redis keeps the bare loop's keys")?;
    let begun = Instant::now();
    let callers = (0..SOCKETS).map(|caller| {
        let (address, hash, keys, capacity) = (address.clone(), hash.clone(), keys.clone(), capacity.clone());
        tokio::spawn(async move {
            let mut socket = TcpStream::connect(&address).await.map_err(|error| error.to_string())?;
            socket.set_nodelay(true).map_err(|error| error.to_string())?;
            let mut count = 0;
            while begun.elapsed() < counted {
                let mut calls = Vec::new();
                for _ in 0..CALLS / SOCKETS {
                    let buyer = (FIRST_BUYER + caller + count * SOCKETS).to_string();
                    calls.extend(command(&["EVALSHA", &hash, "2", &keys[0], &keys[1], &buyer, &capacity]));
                    count += 1;
                }
                socket.write_all(&calls).await.map_err(|error| error.to_string())?;
                hear(&mut socket, CALLS / SOCKETS).await?;
            }
            Ok::<u64, String>(count)
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut decided = 0;
    for caller in callers {
        decided += caller.await.map_err(|error| error.to_string())??;
    }
    Ok(decided as f64 / begun.elapsed().as_secs_f64())
}

fn keys() -> Vec<String> {
    let tag = fastrand::u64(..);
    vec![format!("{{bare-{tag:x}}}:free"), format!("{{bare-{tag:x}}}:buyers")]
}

/// `redis-cluster://host:port?node=host:port&node=…`
fn addresses(url: &str) -> Vec<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.split(['?', '&']).map(|part| part.trim_start_matches("node=").trim_end_matches('/').to_owned()).collect()
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
    }
    bytes
}

async fn ask(socket: &mut TcpStream, command: &[u8]) -> Result<String, String> {
    socket.write_all(command).await.map_err(|error| error.to_string())?;
    let mut answer = vec![0; 1024];
    let count = socket.read(&mut answer).await.map_err(|error| error.to_string())?;
    String::from_utf8(answer[..count].to_vec()).map_err(|error| error.to_string())
}

/// That many numbers, each on a line of its own.
async fn hear(socket: &mut TcpStream, lines: u64) -> Result<(), String> {
    let (mut heard, mut answer) = (0, [0; 4096]);
    while heard < lines {
        let count = socket.read(&mut answer).await.map_err(|error| error.to_string())?;
        if count == 0 || answer[..count].contains(&b'-') {
            return Err("Redis refused a call of the bare loop".to_owned());
        }
        heard += answer[..count].iter().filter(|byte| **byte == b'\n').count() as u64;
    }
    Ok(())
}
