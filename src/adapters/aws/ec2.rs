//! Instances that no group scales: they stand still between events, and are found by a tag.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance, InstanceStateName, Tag};

use super::fault;
use crate::ports::fleet::{Kind, Seen, Tagged};
use crate::ports::{Fault, Result};

const PART: &str = "instances";
/// An instance that belongs to a group is started and stopped by it.
const OF_A_GROUP: &str = "aws:autoscaling:groupName";
/// Of one page of EC2's answers.
const PAGE_MAX: i32 = 1_000;

pub struct Instances {
    client: Client,
    instances_max: usize,
}

impl Instances {
    pub fn new(config: &SdkConfig, instances_max: usize) -> Self {
        Self { client: Client::new(config), instances_max }
    }

    async fn of(&self, named: &Tagged) -> Result<Vec<Seen<u32>>> {
        let filter = |name: String, values: &[&str]| {
            Filter::builder().name(name).set_values(Some(values.iter().map(|value| (*value).to_owned()).collect()))
        };
        let of_tag = filter(format!("tag:{}", named.tag), &[&named.value]).build();
        let alive = filter("instance-state-name".to_owned(), &["pending", "running", "stopping", "stopped"]).build();
        let call = self.client.describe_instances().filters(of_tag).filters(alive).max_results(PAGE_MAX);
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| fault(PART, error))?;
            let instances = page.reservations().iter().flat_map(|reservation| reservation.instances());
            all.extend(instances.filter_map(seen));
            if all.len() > self.instances_max {
                let what = format!("more than {} carry {}={}", self.instances_max, named.tag, named.value);
                return Err(Fault::new(PART, what));
            }
        }
        Ok(all)
    }
}

fn seen(instance: &Instance) -> Option<Seen<u32>> {
    let id = instance.instance_id()?;
    let tags = instance.tags().iter();
    let tags: std::collections::BTreeMap<_, _> =
        tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect();
    if tags.contains_key(OF_A_GROUP) {
        return None;
    }
    let (level, waits) = match instance.state()?.name()? {
        InstanceStateName::Running => (1, None),
        InstanceStateName::Stopped => (0, Some("stopped")),
        InstanceStateName::Pending => (1, Some("starting")),
        InstanceStateName::Stopping => (0, Some("stopping")),
        _ => return None,
    };
    Some(Seen {
        id: id.to_owned(),
        name: id.to_owned(),
        level,
        tags,
        moves: matches!(waits, Some("starting" | "stopping")),
        waits: waits.map(str::to_owned),
        feeds: Vec::new(),
    })
}

#[async_trait]
impl Kind<u32, Tagged> for Instances {
    fn look_max(&self) -> usize {
        1
    }

    async fn look(&self, named: &[Tagged]) -> Result<Vec<Seen<u32>>> {
        let mut all = Vec::new();
        for tagged in named {
            all.extend(self.of(tagged).await?);
        }
        Ok(all)
    }

    async fn set(&self, ids: &[String], level: u32) -> Result<()> {
        let ids = Some(ids.to_vec());
        if level == 0 {
            let call = self.client.stop_instances().set_instance_ids(ids);
            call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
        } else {
            let call = self.client.start_instances().set_instance_ids(ids);
            call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
        }
    }

    async fn tag(&self, ids: &[String], key: &str, value: &str) -> Result<()> {
        let call = self.client.create_tags().set_resources(Some(ids.to_vec()));
        let call = call.tags(Tag::builder().key(key).value(value).build());
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }

    async fn untag(&self, ids: &[String], keys: &[String]) -> Result<()> {
        let call = self.client.delete_tags().set_resources(Some(ids.to_vec()));
        let tags = keys.iter().map(|key| Tag::builder().key(key).build());
        let call = call.set_tags(Some(tags.collect()));
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }
}
