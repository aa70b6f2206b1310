//! The turnstile port over the scripts: arguments in, answers out.
//!
//! A call that timed out or was sent twice is harmless: verbs are idempotent per cause, `open` and `restore` by generation.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use fred::interfaces::{ClientLike, KeysInterface};
use fred::prelude::Client;
use fred::types::Value;
use futures_util::future::join_all;

use super::reply::{Words, lines, snapshot, text};
use super::scripts::{DONE, Scripts, Verb};
use super::{CALL_MS_MAX, STATE_MS_MAX, config, connect, fault, keys};
use crate::adapters::tls::Endpoint;
use crate::domain::sale::Allotment;
use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::sale::turn::{Known, Raised, Released, Reserved};
use crate::domain::sale::turnstile::{Ended, Level, Part, Reply, Snapshot};
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::sale::turnstile::Turnstile;

/// Standings in one argument of `restore`: its script works through one argument at a time.
const PACK: usize = 5_000;

pub struct RedisTurnstile {
    pub(super) calls: Client,
    /// Whole states have a connection of their own, so that no call waits behind their megabytes.
    states: Client,
    scripts: Scripts,
    pub(super) namespace: String,
}

impl RedisTurnstile {
    /// Whether we could try to connect: what can be wrong with the URL alone.
    pub fn check(at: &Endpoint) -> Result<()> {
        config(at).map(drop)
    }

    /// Turnstiles of other namespaces on the same server are not seen. Fails when Redis is away now.
    pub async fn connect(at: impl Into<Endpoint>, namespace: &str) -> Result<Self> {
        Self::connected(at.into(), namespace, true).await
    }

    /// The same, and until Redis is there every call is a fault.
    pub async fn connect_later(at: impl Into<Endpoint>, namespace: &str) -> Result<Self> {
        Self::connected(at.into(), namespace, false).await
    }

    async fn connected(at: Endpoint, namespace: &str, now: bool) -> Result<Self> {
        Ok(Self {
            calls: connect(&at, CALL_MS_MAX, now).await?,
            states: connect(&at, STATE_MS_MAX, now).await?,
            scripts: Scripts::new(),
            namespace: namespace.to_owned(),
        })
    }

    async fn call(&self, sale: SaleId, verb: Verb, args: Vec<Value>) -> Result<Value> {
        let client = connected(if verb.is_of_a_state() { &self.states } else { &self.calls })?;
        let keys = keys::keys(&self.namespace, sale, verb.keys());
        self.scripts.call(client, verb, keys, args).await
    }
}

/// Calls made while Redis is away would pile up, and be sent when their callers are gone.
pub(super) fn connected(client: &Client) -> Result<&Client> {
    if client.is_connected() { Ok(client) } else { Err(fault("not connected")) }
}

#[async_trait]
impl Turnstile for RedisTurnstile {
    async fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> Result<()> {
        let Allotment { capacity, quantity_max, standby_max } = allotment;
        let args = vec![word(generation), word(capacity), word(quantity_max), word(standby_max)];
        self.call(sale, Verb::Open, args).await.map(drop)
    }

    async fn reserve(&self, sale: SaleId, known: Known, batches: &[&Batch]) -> Result<Reply<Vec<Reserved>>> {
        let value = self.call(sale, Verb::Reserve, reserve_args(known, batches)).await?;
        turns(&value, batches, |batch, words| {
            Ok(Reserved { stamp: words.stamp(known.generation)?, answers: words.answers(batch.attempts.len())? })
        })
    }

    async fn release(&self, sale: SaleId, known: Known, ended: &[Ended]) -> Result<Reply<Vec<Released>>> {
        let args = knows(known).into_iter().chain(ended.iter().map(ended_arg)).collect();
        let value = self.call(sale, Verb::Release, args).await?;
        turns(&value, ended, |one, words| {
            let stamp = words.stamp(known.generation)?;
            Ok(Released { stamp, reservation: one.id, promotions: words.promotions()? })
        })
    }

    async fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> Result<Reply<Raised>> {
        let args = knows(known).into_iter().chain([word(capacity)]).collect();
        let value = self.call(sale, Verb::Raise, args).await?;
        let raised = turns(&value, &[capacity], |&capacity, words| {
            Ok(Raised { stamp: words.stamp(known.generation)?, capacity, promotions: words.promotions()? })
        })?;
        Ok(match raised {
            Reply::Done(mut raised) => Reply::Done(raised.remove(0)),
            Reply::Stale => Reply::Stale,
        })
    }

    async fn look(&self, sale: SaleId) -> Result<Option<Level>> {
        match self.call(sale, Verb::Look, Vec::new()).await? {
            Value::Null => Ok(None),
            value => Words::new(text(&value)?).level().map(Some),
        }
    }

    /// All at once: the client sends them together to each node.
    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>> {
        join_all(sales.iter().map(|sale| self.look(*sale))).await
    }

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        match self.call(sale, Verb::Snapshot, Vec::new()).await? {
            Value::Null => Ok(None),
            value => snapshot(&value).map(Some),
        }
    }

    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool> {
        let value = self.call(sale, Verb::Restore, restore_args(snapshot)).await?;
        Ok(text(&value)? == DONE)
    }

    /// Not by a script: nothing is asked of what goes. The server frees the memory beside its work.
    async fn remove(&self, sale: SaleId) -> Result<()> {
        let all = keys::keys(&self.namespace, sale, keys::KEYS_MAX);
        connected(&self.states)?.unlink::<(), _>(all).await.map_err(fault)
    }

    /// Both have to be there: a sale that is restored needs the states, too.
    async fn ping(&self) -> Result<()> {
        connected(&self.states)?;
        connected(&self.calls)?.ping::<()>(None).await.map_err(fault)
    }
}

/// A line for each turn that was asked for.
fn turns<A, T>(value: &Value, asked: &[A], read: impl Fn(&A, &mut Words) -> Result<T>) -> Result<Reply<Vec<T>>> {
    let Reply::Done(lines) = lines(value)? else { return Ok(Reply::Stale) };
    if lines.len() != asked.len() {
        return Err(fault("a script answered with more or fewer turns than it was asked for"));
    }
    let turns = lines.into_iter().zip(asked).map(|(line, asked)| read(asked, &mut Words::new(line)));
    turns.collect::<Result<_>>().map(Reply::Done)
}

fn word(value: impl ToString) -> Value {
    Value::from(value.to_string())
}

fn knows(known: Known) -> Vec<Value> {
    vec![word(known.generation), word(known.revision), word(known.chain)]
}

/// The buyers' digits are written into one buffer that all arguments share: this is the hot path.
fn reserve_args(known: Known, batches: &[&Batch]) -> Vec<Value> {
    use std::fmt::Write;

    let attempts = || batches.iter().flat_map(|batch| &batch.attempts);
    let quantities: Bytes = attempts().map(Attempt::wish).collect();
    let named: Vec<String> = batches.iter().map(|batch| format!("{} {}", batch.id, batch.attempts.len())).collect();
    let mut digits = BytesMut::with_capacity(quantities.len() * 20);
    let mut args = knows(known);
    args.extend([Value::Bytes(quantities), word(named.join(" "))]);
    for attempt in attempts() {
        write!(digits, "{}", attempt.buyer).expect("the buffer grows");
        args.push(Value::Bytes(digits.split().freeze()));
    }
    args
}

fn ended_arg(ended: &Ended) -> Value {
    match &ended.part {
        None => word(ended.id),
        Some(Part { of, units }) => word(format!("{} {of} {}", ended.id, joined(units))),
    }
}

fn restore_args(state: &Snapshot) -> Vec<Value> {
    let Allotment { capacity, quantity_max, standby_max } = state.allotment;
    let Snapshot { revision, chain, next_unit, next_arrival, .. } = state;
    let waiting = state.standby.len();
    let taken = state.taken.iter().map(|(id, taken)| format!("{id} T {} {}\n", taken.buyer, joined(&taken.units)));
    let standby =
        state.standby.iter().map(|p| format!("{} S {} {} {}\n", p.reservation, p.buyer, p.quantity, p.arrival));
    let standings: Vec<String> = taken.chain(standby).collect();
    let mut args = vec![
        word(state.generation),
        word(format!(
            "{revision} {chain} {capacity} {quantity_max} {standby_max} {next_unit} {next_arrival} {waiting}"
        )),
        word(joined(&state.returned)),
    ];
    args.extend(standings.chunks(PACK).map(|pack| Value::from(pack.concat())));
    args
}

fn joined<'a>(units: impl IntoIterator<Item = &'a u32>) -> String {
    units.into_iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
