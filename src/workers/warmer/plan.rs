//! A plan as it comes in: closed, versioned, and refused by the name of the field that is wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::shared::time::Timestamp;
use crate::ports::fleet::{Qualified, Tagged};
use crate::workers::warmer::Settings;

/// Of the shape of a plan.
const VERSION: u64 = 1;
/// It becomes a part of a tag's key.
const EVENT_CHARACTERS_MAX: usize = 40;
const NAME_CHARACTERS_MAX: usize = 255;
/// As AWS has it, of functions and of aliases.
const FUNCTION_CHARACTERS_MAX: usize = 64;
const TAG_CHARACTERS_MAX: usize = 128;
/// Unless a plan says how long.
const WAIT_S: u64 = 600;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct PlanError {
    pub field: String,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Warm,
    Cool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub event: String,
    pub action: Action,
    /// When the event's cool is due.
    pub until: Timestamp,
    pub groups: Vec<(String, u32)>,
    pub instances: Vec<Tagged>,
    pub functions: Vec<(Qualified, u32)>,
    pub target_groups: Vec<String>,
    pub wait: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "was looked at before the rest is read")]
    version: u64,
    event: String,
    action: Action,
    until: String,
    #[serde(default)]
    groups: Vec<WrittenGroup>,
    #[serde(default)]
    instances: Vec<WrittenInstances>,
    #[serde(default)]
    functions: Vec<WrittenFunction>,
    #[serde(default)]
    target_groups: Vec<String>,
    wait_s_max: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    name: String,
    capacity: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenInstances {
    tag: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFunction {
    name: String,
    qualifier: String,
    provisioned: u32,
}

fn wrong(field: impl Into<String>, what: impl Into<String>) -> PlanError {
    PlanError { field: field.into(), what: what.into() }
}

fn ensure(holds: bool, field: impl Into<String>, what: impl Into<String>) -> Result<(), PlanError> {
    if holds { Ok(()) } else { Err(wrong(field, what)) }
}

impl Plan {
    pub fn read(value: &Value, settings: &Settings) -> Result<Self, PlanError> {
        // Another version is another shape: its fields are not judged by this one.
        let version = value.get("version").ok_or_else(|| wrong("version", "is missing"))?;
        ensure(version.as_u64() == Some(VERSION), "version", format!("is {version}; {VERSION} is known"))?;
        let written: Written = serde_path_to_error::deserialize(value).map_err(|error| {
            let field = error.path().to_string();
            let field = if field == "." { "(the plan itself)".to_owned() } else { field };
            wrong(field, error.inner().to_string())
        })?;
        written.checked(settings)
    }

    /// Refuses what would keep the fleet warm for too long.
    pub fn lasts(&self, now: Timestamp, settings: &Settings) -> Result<(), PlanError> {
        let warm_ms_max = settings.warm_ms_max;
        let is_short = self.action == Action::Cool || self.until.since_ms(now) <= warm_ms_max;
        let hours = warm_ms_max / 3_600_000;
        ensure(is_short, "until", format!("is {}, more than {hours} hours ahead (warm_ms_max)", self.until.rfc3339()))
    }
}

impl Written {
    fn checked(self, settings: &Settings) -> Result<Plan, PlanError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = (1..=EVENT_CHARACTERS_MAX).contains(&self.event.len()) && self.event.chars().all(plain);
        ensure(is_name, "event", format!("is not 1 to {EVENT_CHARACTERS_MAX} small letters, digits and hyphens"))?;
        let until = Timestamp::from_rfc3339(&self.until)
            .ok_or_else(|| wrong("until", "is no time like 2026-12-01T14:00:00Z (UTC, whole seconds)"))?;
        let wait_s = self.wait_s_max.unwrap_or(WAIT_S.min(settings.wait_s_max));
        ensure(wait_s <= settings.wait_s_max, "wait_s_max", format!("is {wait_s}; {} at most", settings.wait_s_max))?;
        let named = self.groups.len() + self.instances.len() + self.functions.len() + self.target_groups.len();
        ensure(named > 0, "groups, instances, functions, target_groups", "are all empty")?;
        Ok(Plan {
            action: self.action,
            until,
            wait: Duration::from_secs(wait_s),
            groups: groups(self.groups, settings)?,
            instances: instances(self.instances, settings)?,
            functions: functions(self.functions, settings)?,
            target_groups: target_groups(self.target_groups, settings)?,
            event: self.event,
        })
    }
}

fn few(count: usize, max: usize, field: &str, limit: &str) -> Result<(), PlanError> {
    ensure(count <= max, field, format!("are {count}; {max} at most ({limit})"))
}

fn amount(amount: u32, max: u32, field: String, limit: &str) -> Result<(), PlanError> {
    ensure((1..=max).contains(&amount), field, format!("is {amount}; 1 to {max} ({limit})"))
}

fn length(text: &str, max: usize, field: String) -> Result<(), PlanError> {
    ensure((1..=max).contains(&text.chars().count()), field, format!("is not 1 to {max} characters"))
}

fn groups(written: Vec<WrittenGroup>, settings: &Settings) -> Result<Vec<(String, u32)>, PlanError> {
    few(written.len(), settings.groups_max, "groups", "groups_max")?;
    let mut names = BTreeSet::new();
    for (at, group) in written.iter().enumerate() {
        length(&group.name, NAME_CHARACTERS_MAX, format!("groups[{at}].name"))?;
        amount(group.capacity, settings.capacity_max, format!("groups[{at}].capacity"), "capacity_max")?;
        ensure(names.insert(&group.name), format!("groups[{at}].name"), format!("{} comes twice", group.name))?;
    }
    Ok(written.into_iter().map(|group| (group.name, group.capacity)).collect())
}

fn instances(written: Vec<WrittenInstances>, settings: &Settings) -> Result<Vec<Tagged>, PlanError> {
    few(written.len(), settings.tags_max, "instances", "tags_max")?;
    for (at, tagged) in written.iter().enumerate() {
        length(&tagged.tag, TAG_CHARACTERS_MAX, format!("instances[{at}].tag"))?;
        length(&tagged.value, NAME_CHARACTERS_MAX, format!("instances[{at}].value"))?;
        // EC2 reads these as "anything".
        let is_plain = |text: &str| !text.contains(['*', '?']);
        ensure(is_plain(&tagged.tag), format!("instances[{at}].tag"), "has a wildcard")?;
        ensure(is_plain(&tagged.value), format!("instances[{at}].value"), "has a wildcard")?;
    }
    Ok(written.into_iter().map(|tagged| Tagged { tag: tagged.tag, value: tagged.value }).collect())
}

fn functions(written: Vec<WrittenFunction>, settings: &Settings) -> Result<Vec<(Qualified, u32)>, PlanError> {
    few(written.len(), settings.functions_max, "functions", "functions_max")?;
    let plain = |text: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=FUNCTION_CHARACTERS_MAX).contains(&text.len()) && text.chars().all(letter)
    };
    let what = format!("is not 1 to {FUNCTION_CHARACTERS_MAX} letters, digits, hyphens and underscores");
    let mut names = BTreeSet::new();
    for (at, function) in written.iter().enumerate() {
        let field = |name: &str| format!("functions[{at}].{name}");
        ensure(plain(&function.name), field("name"), what.clone())?;
        ensure(plain(&function.qualifier), field("qualifier"), format!("{what}: an alias or a version"))?;
        amount(function.provisioned, settings.provisioned_max, field("provisioned"), "provisioned_max")?;
        let alias = format!("{}:{}", function.name, function.qualifier);
        ensure(names.insert(alias.clone()), field("name"), format!("{alias} comes twice"))?;
    }
    let read = |function: WrittenFunction| {
        (Qualified { name: function.name, qualifier: function.qualifier }, function.provisioned)
    };
    Ok(written.into_iter().map(read).collect())
}

fn target_groups(written: Vec<String>, settings: &Settings) -> Result<Vec<String>, PlanError> {
    few(written.len(), settings.target_groups_max, "target_groups", "target_groups_max")?;
    let mut names = BTreeSet::new();
    for (at, arn) in written.iter().enumerate() {
        let is_arn = arn.starts_with("arn:") && arn.contains(":targetgroup/");
        ensure(is_arn, format!("target_groups[{at}]"), "is not the ARN of a target group")?;
        ensure(names.insert(arn), format!("target_groups[{at}]"), format!("{arn} comes twice"))?;
    }
    Ok(written)
}
