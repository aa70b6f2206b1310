//! Seating plans on the command line. A file is read and judged here; what is told to a shop, or kept by us, is its canonical form.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::app::operator::Command;
use crate::app::seating::picture;
use crate::app::seating::read::{FILE_BYTES_MAX, Read, is_table, read};
use crate::domain::seating::hall::{HALL_SEATS_MAX, HALL_SEATS_MIN, hall};
use crate::domain::seating::{Plan, PlanHash, Report};
use crate::kit::process::Failure;
use crate::wire::commands::{answer, failed, one_shot, run};

/// Exit code 1 when the plan has errors.
pub fn check(file: &Path, name: Option<String>) -> ExitCode {
    match of_file(file, name) {
        Ok(read) => {
            tell(&read.report);
            let Some(plan) = read.plan else { return ExitCode::FAILURE };
            println!("{}: {} seats, {}", plan.layout().name, plan.seat_count(), plan.hash());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

pub fn show(state: Option<PathBuf>, named: &str, name: Option<String>) -> ExitCode {
    let found = || match named.parse::<PlanHash>() {
        // A file may be called anything, a hash as well.
        Ok(_) if !Path::new(named).exists() => kept(state, named),
        _ => of_file(Path::new(named), name),
    };
    match found() {
        Ok(Read { plan: Some(plan), .. }) => {
            picture::in_words(&plan).iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Ok(Read { report, .. }) => {
            tell(&report);
            ExitCode::FAILURE
        }
        Err(error) => failed(&error),
    }
}

pub fn make(seats: usize, seed: u64, output: &Path) -> ExitCode {
    if !(HALL_SEATS_MIN..=HALL_SEATS_MAX).contains(&seats) {
        return failed(&format!("a hall has from {HALL_SEATS_MIN} to {HALL_SEATS_MAX} seats"));
    }
    let mut report = Report::default();
    let plan = Plan::check(hall(seats, seed), &mut report).expect("a hall that is made has no errors");
    // Nothing that is there is written over.
    match File::create_new(output).and_then(|mut file| file.write_all(plan.canonical().as_bytes())) {
        Ok(()) => {
            println!("{}", plan.hash());
            ExitCode::SUCCESS
        }
        Err(error) => failed(&format!("{}: {error}", output.display())),
    }
}

/// Exit code 1 when the plan has errors: then nothing is kept.
pub fn import(state: Option<PathBuf>, file: &Path, name: Option<String>) -> ExitCode {
    match of_file(file, name) {
        Ok(read) => {
            tell(&read.report);
            match read.plan {
                Some(plan) => run(state, Command::KeepPlan { plan: plan.canonical().to_owned() }, true),
                None => ExitCode::FAILURE,
            }
        }
        Err(error) => failed(&error),
    }
}

/// On standard error: the last line of the other is the answer.
fn tell(report: &Report) {
    report.faults().for_each(|fault| eprintln!("{fault}"));
    if report.left_out() > 0 {
        eprintln!("and {} more", report.left_out());
    }
    eprintln!("errors: {}, warnings: {}", report.error_count, report.warning_count);
}

fn of_file(file: &Path, name: Option<String>) -> Result<Read, Failure> {
    let at = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut bytes = Vec::new();
    // One more than may be, so that what is too long is seen to be.
    File::open(file).map_err(at)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(at)?;
    let stem = || file.file_stem().filter(|_| is_table(&bytes)).map(|stem| stem.to_string_lossy().into_owned());
    Ok(read(&bytes, name.or_else(stem).as_deref()))
}

fn kept(state: Option<PathBuf>, hash: &str) -> Result<Read, Failure> {
    let answer = one_shot(answer(state, Command::Plan { hash: hash.to_owned() }))?;
    Ok(read(answer["plan"].as_str().unwrap_or_default().as_bytes(), None))
}
