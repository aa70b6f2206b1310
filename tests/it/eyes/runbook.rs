//! The runbook knows every alarm, and its links lead somewhere.

use std::collections::BTreeSet;

use super::rules::alerts;
use super::{root, text};

fn headings(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
}

/// As links to a heading are written.
fn anchor(heading: &str) -> String {
    let plain = heading.to_lowercase().replace(' ', "-");
    plain.chars().filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c)).collect()
}

#[test]
fn every_alarm_has_its_section_and_every_section_its_alarm() {
    let text = text("deploy/alarms.md");
    let sections: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts = alerts();
    assert_eq!(sections, alerts.iter().map(String::as_str).collect());
    for section in text.split("\n### ").skip(1) {
        let (name, body) = section.split_once('\n').unwrap();
        assert!(body.contains("**Means.**") && body.contains("**Do.**"), "{name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let pages = std::fs::read_dir(root().join("deploy")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut followed = 0;
    for page in pages {
        let name = page.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        for link in text(&name).split("](").skip(1).filter_map(|rest| rest.split(')').next().map(str::to_owned)) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{name}: {link}");
            if !heading.is_empty() {
                let there = headings(&std::fs::read_to_string(&target).unwrap());
                assert!(there.iter().any(|there| anchor(there) == heading), "{name}: {link}");
            }
            followed += 1;
        }
    }
    assert!(followed > 5, "{followed}");
}
