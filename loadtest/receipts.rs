//! Many receipts: how long each takes to print and how large it is; and whether every code of every drawn page is read by
//! programs that know nothing of ours (`pdftoppm`, `zbarimg`), is good, and is refused with one bit changed.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use miaosha::app::receipts::fonts::Fonts;
use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::app::receipts::pdf::render;
use miaosha::app::receipts::sheet::Sheet;
use miaosha::app::receipts::token::verify;
use miaosha::domain::money::order::{self, Order};
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;

use crate::times::Times;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Receipts that lie in the folder at once.
const READ_AT_ONCE: u32 = 20;
/// 2026-01-01.
const PLACED_AT: Timestamp = Timestamp(1_767_225_600_000);
const ITEMS: [&str; 4] =
    ["A clay teapot, one of a hundred", "春日音樂會", "Seat in the first row · 第一排", "Concert 🎸 السلام नमस्ते 演唱會"];
const NAMES: [&str; 4] = ["陳美玲", "Zoë Łukasz", "Ann Example", "林志明 Jimmy"];

#[derive(Args)]
pub struct Options {
    #[arg(long, default_value_t = 10_000)]
    receipts: u32,
    /// Threads that print and read; one for each core unless it is said.
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    #[arg(long)]
    json: bool,
}

/// What one thread saw.
#[derive(Default)]
struct Seen {
    print: Times,
    bytes: Vec<u64>,
    codes: u64,
    reading: Duration,
}

pub fn run(options: &Options) -> Result<bool, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if options.jobs == 0 { cores } else { options.jobs };
    let keys = ReceiptKeys::parse(&format!("r1:{}", "42".repeat(32)))?;
    let next = AtomicU32::new(0);
    let work = || -> Result<Seen, Failure> {
        let mut seen = Seen::default();
        loop {
            let first = next.fetch_add(READ_AT_ONCE, Ordering::Relaxed);
            if first >= options.receipts {
                return Ok(seen);
            }
            group(first..options.receipts.min(first + READ_AT_ONCE), &keys, &mut seen)?;
        }
    };
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread ends with what it saw"))
            .collect::<Result<_, _>>()
    })?;
    report(options, jobs, &seen);
    Ok(true)
}

fn group(numbers: std::ops::Range<u32>, keys: &ReceiptKeys, seen: &mut Seen) -> Result<(), Failure> {
    let folder = tempfile_folder()?;
    let done = print_and_read(numbers, keys, seen, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn print_and_read(
    numbers: std::ops::Range<u32>,
    keys: &ReceiptKeys,
    seen: &mut Seen,
    folder: &Path,
) -> Result<(), Failure> {
    let mut wanted = Vec::new();
    for number in numbers.clone() {
        let sheet = sheet(number, keys);
        wanted.extend(sheet.units.iter().filter_map(|unit| unit.token.clone()));
        let begun_us = on_core_us()?;
        let pdf = render(&sheet, Fonts::get())?;
        seen.print.extend([on_core_us()? - begun_us]);
        seen.bytes.push(pdf.len() as u64);
        std::fs::write(folder.join(format!("{number}.pdf")), pdf)?;
    }
    let begun = Instant::now();
    for number in numbers {
        let (pdf, pages) = (format!("{number}.pdf"), number.to_string());
        call(folder, "pdftoppm", &["-r", "110", "-gray", &pdf, &pages])?;
    }
    let drawn = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
    let drawn = drawn.collect::<Result<Vec<String>, std::io::Error>>()?;
    let mut read: Vec<String> = Vec::new();
    // One call a page: of many in a row it misses a code now and then, by what it has seen before.
    for page in drawn.iter().filter(|name| name.ends_with(".pgm")) {
        let args = ["-q", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", page];
        read.extend(call(folder, "zbarimg", &args)?.lines().map(str::to_owned));
    }
    seen.reading += begun.elapsed();
    read.sort();
    wanted.sort();
    if read != wanted {
        return Err(format!("{} codes were printed and {} read, or not the same ones", wanted.len(), read.len()).into());
    }
    for token in &read {
        verify(token, keys.public()).map_err(|error| format!("a code is not good: {error}"))?;
        refused_when_changed(token, keys)?;
    }
    seen.codes += read.len() as u64;
    Ok(())
}

/// What this thread has had of a core: others on the machine do not count.
fn on_core_us() -> Result<u64, Failure> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = times.split(' ').next().unwrap_or_default();
    Ok(nanos.parse::<u64>()? / 1_000)
}

/// One bit of one place, another for every code.
fn refused_when_changed(token: &str, keys: &ReceiptKeys) -> Result<(), Failure> {
    let place = token.bytes().map(usize::from).sum::<usize>() % token.len();
    let mut changed = token.as_bytes().to_vec();
    changed[place] ^= 1;
    match std::str::from_utf8(&changed).map(|changed| verify(changed, keys.public())) {
        Ok(Ok(_)) => Err(format!("a code with a changed bit at {place} was taken").into()),
        _ => Ok(()),
    }
}

/// Of one to four units for most, up to eight.
fn sheet(number: u32, keys: &ReceiptKeys) -> Sheet {
    let quantity = [1, 1, 2, 1, 2, 3, 4, 8][number as usize % 8];
    let first = number * 8 + 1;
    let amount = Money { minor: 120_000, currency: "TWD".parse().expect("three capital letters") };
    let order = Order {
        number: order::number(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        reservation: ReservationId(u128::from(number) << 64 | 7),
        sale: SaleId(1),
        buyer: BuyerId(u64::from(number)),
        units: (first..first + quantity).collect(),
        amount: amount.times(quantity).expect("a small amount"),
        payment: PaymentId(u128::from(number)),
        placed_at: PLACED_AT.plus_ms(i64::from(number)),
        refunded: false,
        refunded_units: Vec::new(),
        refunded_amount: Money { minor: 0, ..amount },
    };
    let (item, name) = (ITEMS[number as usize % ITEMS.len()], NAMES[number as usize % NAMES.len()]);
    let locale = Locale::ALL[number as usize / 2 % 2];
    Sheet::of(&order, item, Some(name), keys).said_in(locale, 480)
}

fn tempfile_folder() -> Result<std::path::PathBuf, Failure> {
    let name = format!("miaosha-receipts-{:016x}", getrandom::u64()?);
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

fn call(folder: &Path, program: &str, args: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(args).current_dir(folder).output();
    let output = output.map_err(|error| format!("{program} (a package of Debian): {error}"))?;
    if !output.status.success() {
        return Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn report(options: &Options, jobs: usize, seen: &[Seen]) {
    let mut print = Times::default();
    seen.iter().for_each(|seen| print.add(&seen.print));
    let bytes: Vec<u64> = seen.iter().flat_map(|seen| &seen.bytes).copied().collect();
    let codes: u64 = seen.iter().map(|seen| seen.codes).sum();
    let facts = serde_json::json!({
        "receipts": options.receipts,
        "codes_verified": codes,
        "jobs": jobs,
        "print_ms_mean": print.mean_ms(),
        "print_ms_p50": print.ms(0.5),
        "print_ms_p99": print.ms(0.99),
        "receipts_per_core_s": 1_000.0 / print.mean_ms(),
        "bytes_mean": bytes.iter().sum::<u64>() as f64 / bytes.len().max(1) as f64,
        "bytes_max": bytes.iter().max().copied().unwrap_or_default(),
        "read_s": seen.iter().map(|seen| seen.reading.as_secs_f64()).sum::<f64>(),
    });
    if options.json {
        println!("{facts}");
    } else {
        println!("{facts:#}");
    }
}
