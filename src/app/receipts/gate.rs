//! A gate without the shop: it has the public keys, what was given back and what was used when its pack was made, and a file of its
//! own. An admission is on the disk before it is answered, so that a gate that crashes admits no unit twice.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::receipts::date;
use crate::app::receipts::keys::{Jwks, PublicKeys};
use crate::app::receipts::token::{self, TokenError};
use crate::domain::receipts::{Admission, Proof};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;

/// What a gate takes along.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = GatePack)]
pub struct Pack {
    pub sale_id: SaleId,
    pub title: String,
    pub made_at: Timestamp,
    /// How far the shop's clocks are ahead of UTC: what a gate says of times is in them.
    #[serde(default)]
    #[schema(required)]
    pub utc_offset_minutes: i16,
    pub keys: Jwks,
    /// Pairs of a unit and the reservation it was given back from.
    pub revoked: Vec<(u32, ReservationId)>,
    pub used: Vec<UsedUnit>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedUnit {
    pub unit: u32,
    pub reservation: ReservationId,
    pub at: Timestamp,
    pub gate: String,
}

impl From<Admission> for UsedUnit {
    fn from(admission: Admission) -> Self {
        let Admission { proof, at, gate, .. } = admission;
        Self { unit: proof.unit, reservation: proof.reservation, at, gate }
    }
}

impl Answer {
    /// As people at the door read it: times are the shop's.
    pub fn words(&self, utc_offset_minutes: i16) -> String {
        match self {
            Answer::Admitted(proof) => format!("ADMIT   unit {}", proof.unit),
            Answer::Already { at, gate, revoked } => {
                let place = if gate.is_empty() { String::new() } else { format!(" at {gate}") };
                let back = if *revoked { "; given back since" } else { "" };
                format!("STOP    used before, {}{place}{back}", date::plain(*at, utc_offset_minutes))
            }
            Answer::Revoked => "STOP    given back".to_owned(),
            Answer::Elsewhere(sale) => format!("STOP    of another sale: {sale}"),
            Answer::Invalid(error) => format!("STOP    {error}"),
        }
    }
}

/// A line of a gate's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub sequence: u64,
    pub token: String,
    pub at: Timestamp,
    pub gate: String,
}

/// The first line of a gate's file: who wrote it. Made by chance, so that no two devices share one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Admitted(Proof),
    Already {
        at: Timestamp,
        gate: String,
        /// Given back since.
        revoked: bool,
    },
    Revoked,
    /// A good receipt, of another sale.
    Elsewhere(SaleId),
    Invalid(TokenError),
}

pub struct Gate {
    sale: SaleId,
    keys: PublicKeys,
    revoked: Vec<(u32, ReservationId)>,
    used: HashMap<(u32, ReservationId), (Timestamp, String)>,
    name: String,
    sequence: u64,
    file: File,
}

impl Gate {
    /// Goes on where the file ends. Another gate on the same file is refused: each device has its own.
    pub fn open(pack: Pack, path: &Path, name: &str) -> io::Result<Self> {
        let keys = PublicKeys::from_jwks(&pack.keys).map_err(io::Error::other)?;
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        file.try_lock().map_err(|_| io::Error::other(format!("another gate writes {}", path.display())))?;
        let written = Written::read(&mut file)?;
        if written.head.is_none() {
            begin(&mut file)?;
        } else {
            // What a crash cut off was never answered.
            file.set_len(written.whole_bytes)?;
            file.seek(SeekFrom::End(0))?;
        }
        let used = pack.used.into_iter().map(|used| ((used.unit, used.reservation), (used.at, used.gate)));
        let mut used: HashMap<_, _> = used.collect();
        for entry in &written.entries {
            if let Ok(proof) = token::verify(&entry.token, &keys)
                && proof.sale == pack.sale_id
            {
                used.entry((proof.unit, proof.reservation)).or_insert((entry.at, entry.gate.clone()));
            }
        }
        let mut revoked = pack.revoked;
        revoked.sort_unstable();
        let sequence = written.entries.last().map_or(0, |entry| entry.sequence);
        Ok(Self { sale: pack.sale_id, keys, revoked, used, name: name.to_owned(), sequence, file })
    }

    /// A fault of the disk admits no unit.
    pub fn check_in(&mut self, token: &str, now: Timestamp) -> io::Result<Answer> {
        let proof = match token::verify(token, &self.keys) {
            Ok(proof) => proof,
            Err(error) => return Ok(Answer::Invalid(error)),
        };
        let unit = (proof.unit, proof.reservation);
        if proof.sale != self.sale {
            return Ok(Answer::Elsewhere(proof.sale));
        }
        let revoked = self.revoked.binary_search(&unit).is_ok();
        if let Some((at, gate)) = self.used.get(&unit) {
            return Ok(Answer::Already { at: *at, gate: gate.clone(), revoked });
        }
        if revoked {
            return Ok(Answer::Revoked);
        }
        let entry = Entry { sequence: self.sequence + 1, token: token.to_owned(), at: now, gate: self.name.clone() };
        append(&mut self.file, &entry)?;
        self.sequence += 1;
        self.used.insert(unit, (now, self.name.clone()));
        Ok(Answer::Admitted(proof))
    }
}

/// What a gate's file holds.
pub struct Written {
    head: Option<Head>,
    pub entries: Vec<Entry>,
    whole_bytes: u64,
}

impl Written {
    /// Of a file that may be in use.
    pub fn of(path: &Path) -> io::Result<Self> {
        Self::read(&mut File::open(path)?)
    }

    /// Empty before the first line was written.
    pub fn device(&self) -> &str {
        self.head.as_ref().map_or("", |head| &head.device)
    }

    fn read(file: &mut File) -> io::Result<Self> {
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let odd = |error: serde_json::Error| io::Error::other(format!("this is not a gate's file: {error}"));
        let head = lines.next().map(serde_json::from_slice).transpose().map_err(odd)?;
        let entries = lines.map(serde_json::from_slice).collect::<Result<_, _>>().map_err(odd)?;
        Ok(Self { head, entries, whole_bytes: whole as u64 })
    }
}

fn begin(file: &mut File) -> io::Result<()> {
    let chance = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    append(file, &Head { device: format!("{chance:016x}") })
}

fn append(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let before = file.stream_position()?;
    let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
    text.push(b'\n');
    let written = file.write_all(&text).and_then(|()| file.sync_data());
    if written.is_err() {
        // The next admission begins on a line of its own.
        file.set_len(before)?;
        file.seek(SeekFrom::Start(before))?;
    }
    written
}
