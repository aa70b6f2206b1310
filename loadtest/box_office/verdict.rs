//! What must be so after a scenario.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Scenario;
use super::shoppers::Seen;
use crate::client::Client;
use crate::times::Times;

/// What nobody took up has lapsed by then.
const REST_WAIT_MAX: Duration = Duration::from_secs(60);

pub struct Report {
    lines: Vec<String>,
    wrong: Vec<String>,
    facts: Value,
}

impl Report {
    /// Says whether nothing is wrong.
    pub fn print(&self) -> bool {
        self.lines.iter().for_each(|line| println!("{line}"));
        self.wrong.iter().for_each(|wrong| println!("  WRONG: {wrong}"));
        self.wrong.is_empty()
    }

    pub fn json(&self) -> Value {
        let mut facts = self.facts.clone();
        facts["wrong"] = json!(self.wrong);
        facts
    }
}

/// `tickets` says how many are looked at, at most.
pub async fn judge(place: &str, scenario: &Scenario, all: &[Seen], tickets: usize) -> Result<Report, String> {
    let (mut lines, mut wrong, mut events) = (Vec::new(), Vec::new(), Vec::new());
    let mut client = Client::new(place);
    let mut times = Times::default();
    for (event, seen) in scenario.events.iter().zip(all) {
        let told = at_rest(&mut client, *event, seen).await?;
        let figure = |name: &str| told[name].as_u64().unwrap_or_default();
        let (total, sold, remaining) = (figure("total"), figure("sold"), figure("remaining"));
        let (bought, asked) = (seen.bought.len() as u64, seen.asked());
        let names: BTreeSet<&String> = seen.bought.iter().map(|(ticket, _)| ticket).collect();
        let mut must = |is_so: bool, what: String| {
            if !is_so {
                wrong.push(format!("event {event}: {what}"));
            }
        };
        must(bought == asked.min(total), format!("{asked} were asked for, {total} are there, and {bought} were sold"));
        must(names.len() as u64 == bought, format!("{bought} tickets have {} names", names.len()));
        must(sold == bought, format!("{bought} were bought, and the ledger has {sold}"));
        must(remaining == total - sold.min(total), format!("{remaining} of {total} are left, and {sold} were sold"));
        must(seen.unknown == 0, format!("{} purchases are not known", seen.unknown));
        must(seen.strange.is_empty(), format!("{} strange answers: {:?}", seen.strange.len(), seen.strange.first()));
        lines.push(format!(
            "  event {event}: {asked} asked, {bought} of {total} sold, {} sold out, {} sent again",
            seen.sold_out, seen.again
        ));
        times.add(&seen.times);
        events.push(json!({
            "event": event, "asked": asked, "bought": bought, "total": total, "again": seen.again, "unknown": seen.unknown,
        }));
    }
    let (whole, looked_at) = look_at_tickets(&mut client, all, tickets, &mut wrong).await;
    let rate = times.len() as f64 / scenario.lasts.as_secs_f64();
    let head = format!(
        "{}: {} connections for {:.0} s, {:.0} answers a second, 50 % within {:.1} ms, 99 % within {:.1} ms; {whole} of {looked_at} \
         tickets looked at are whole",
        scenario.name,
        scenario.connections,
        scenario.lasts.as_secs_f64(),
        rate,
        times.ms(0.5),
        times.ms(0.99)
    );
    lines.insert(0, head);
    let facts = json!({
        "scenario": scenario.name, "connections": scenario.connections, "seconds": scenario.lasts.as_secs_f64(),
        "answers_per_s": rate, "p50_ms": times.ms(0.5), "p99_ms": times.ms(0.99), "events": events,
        "tickets_looked_at": looked_at, "tickets_whole": whole,
    });
    Ok(Report { lines, wrong, facts })
}

/// What the ledger says of an event, once nothing of it is held.
async fn at_rest(client: &mut Client, event: u64, seen: &Seen) -> Result<Value, String> {
    let until = Instant::now() + REST_WAIT_MAX;
    loop {
        let told = client.get(&format!("/events/{event}"), "").await?.json()["data"].clone();
        let is_at_rest = told["sold"].as_u64().zip(told["remaining"].as_u64()).zip(told["total"].as_u64());
        let is_at_rest = is_at_rest.is_some_and(|((sold, remaining), total)| sold + remaining == total);
        if (is_at_rest && told["sold"] == seen.bought.len()) || Instant::now() > until {
            return Ok(told);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Some of every event's; how many are whole, of how many.
async fn look_at_tickets(client: &mut Client, all: &[Seen], tickets: usize, wrong: &mut Vec<String>) -> (usize, usize) {
    let each = tickets.div_ceil(all.len().max(1));
    let (mut whole, mut looked_at) = (0, 0);
    for (ticket, url) in all.iter().flat_map(|seen| seen.bought.iter().take(each)).take(tickets) {
        looked_at += 1;
        match ticket_of(client, url).await {
            Ok(pdf) if pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF") => whole += 1,
            Ok(pdf) => wrong.push(format!("{ticket} is no whole PDF, of {} bytes", pdf.len())),
            Err(why) => wrong.push(format!("{ticket} cannot be had: {why}")),
        }
    }
    (whole, looked_at)
}

/// A shop under load prints when it has a core to spare.
async fn ticket_of(client: &mut Client, url: &str) -> Result<Vec<u8>, String> {
    let until = Instant::now() + REST_WAIT_MAX;
    loop {
        let answer = client.get(url, "").await?;
        match answer.status {
            200 => return Ok(answer.body.to_vec()),
            202 | 503 if Instant::now() < until => tokio::time::sleep(Duration::from_millis(500)).await,
            status => return Err(format!("{status} {}", answer.json())),
        }
    }
}
