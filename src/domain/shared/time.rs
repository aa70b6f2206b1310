//! Time as everybody here writes it: milliseconds since 1970, UTC.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this; negative when it is later.
    pub fn since_ms(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A moment as a calendar and a clock show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Timestamp {
    /// Where clocks are this many minutes ahead of UTC. The year is counted from March, so that the odd day comes last.
    pub fn civil(self, offset_minutes: i16) -> Civil {
        let seconds = self.0.div_euclid(1_000) + i64::from(offset_minutes) * 60;
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // 0000-03-01 was 719,468 days before 1970; 400 years have 146,097 days.
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let from_january = if month < 10 { month + 3 } else { month - 9 };
        Civil {
            year: era * 400 + year + i64::from(from_january <= 2),
            month: from_january as u8,
            day: (day - (153 * month + 2) / 5 + 1) as u8,
            hour: (second / 3_600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
        }
    }
}

impl Timestamp {
    /// `2026-12-01T14:00:00Z`: RFC 3339 in UTC and whole seconds, which is also how one is written. `None` for any other text, and
    /// for a day or an hour that does not exist.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let digits = text.bytes().zip(b"0000-00-00T00:00:00Z").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            shape => byte == *shape,
        });
        if !digits || text.len() != 20 {
            return None;
        }
        let number = |from: usize, to: usize| text[from..to].parse::<i64>().ok();
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        // Counted from March, as `civil` does.
        let (year_of, month_of) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let leaps = year_of.div_euclid(4) - year_of.div_euclid(100) + year_of.div_euclid(400);
        let days = 365 * year_of + leaps + (153 * month_of + 2) / 5 + day - 1 - 719_468;
        let seconds = days * 86_400 + number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
        let at = Self(seconds * 1_000);
        // What does not come back as it was written was no moment: the 31st of February, 24:61.
        (at.rfc3339() == text).then_some(at)
    }

    pub fn rfc3339(self) -> String {
        let Civil { year, month, day, hour, minute, second } = self.civil(0);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}
