//! Groups of instances: sizes and tags of a group come in one answer, and its three sizes change in one call.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, LifecycleState, Tag};

use super::fault;
use crate::domain::fleet::Size;
use crate::ports::fleet::{Kind, Seen};
use crate::ports::{Fault, Result};

const PART: &str = "groups";
/// Groups in one look, as many as the answer may hold.
const LOOK_MAX: usize = 50;
const GROUP: &str = "auto-scaling-group";

pub struct Groups {
    client: Client,
}

impl Groups {
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

/// Nothing, when it is being deleted.
fn seen(group: &AutoScalingGroup) -> Option<Result<Seen<Size>>> {
    if group.status().is_some() {
        return None;
    }
    let count = |count: Option<i32>| u32::try_from(count.unwrap_or_default()).unwrap_or_default();
    let level =
        Size { min: count(group.min_size()), desired: count(group.desired_capacity()), max: count(group.max_size()) };
    let Some(name) = group.auto_scaling_group_name() else {
        return Some(Err(Fault::new(PART, "a group without a name")));
    };
    let serves = |instance: &&aws_sdk_autoscaling::types::Instance| {
        instance.lifecycle_state() == Some(&LifecycleState::InService) && instance.health_status() == Some("Healthy")
    };
    let in_service = group.instances().iter().filter(serves).count();
    let waits = (in_service < level.desired as usize)
        .then(|| format!("{in_service} of {} instances are in service", level.desired));
    let tags = group.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    Some(Ok(Seen {
        id: name.to_owned(),
        name: name.to_owned(),
        level,
        tags: tags.collect::<BTreeMap<_, _>>(),
        waits,
        moves: false,
        feeds: group.target_group_arns().to_vec(),
    }))
}

fn tag(id: &str, key: &str) -> aws_sdk_autoscaling::types::builders::TagBuilder {
    // Its instances are not what is tagged.
    Tag::builder().resource_id(id).resource_type(GROUP).key(key).propagate_at_launch(false)
}

#[async_trait]
impl Kind<Size, String> for Groups {
    fn look_max(&self) -> usize {
        LOOK_MAX
    }

    async fn look(&self, named: &[String]) -> Result<Vec<Seen<Size>>> {
        // Of no names, AWS would describe every group there is.
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.client.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(named.to_vec()));
        let answer = call.max_records(LOOK_MAX as i32).send().await.map_err(|error| fault(PART, error))?;
        answer.auto_scaling_groups().iter().filter_map(seen).collect()
    }

    async fn set(&self, ids: &[String], level: Size) -> Result<()> {
        for id in ids {
            let call = self.client.update_auto_scaling_group().auto_scaling_group_name(id).min_size(level.min as i32);
            let call = call.desired_capacity(level.desired as i32).max_size(level.max as i32);
            call.send().await.map_err(|error| fault(PART, error))?;
        }
        Ok(())
    }

    async fn tag(&self, ids: &[String], key: &str, value: &str) -> Result<()> {
        let tags = ids.iter().map(|id| tag(id, key).value(value).build());
        let call = self.client.create_or_update_tags().set_tags(Some(tags.collect()));
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }

    async fn untag(&self, ids: &[String], keys: &[String]) -> Result<()> {
        let tags = ids.iter().flat_map(|id| keys.iter().map(|key| tag(id, key).build()));
        let call = self.client.delete_tags().set_tags(Some(tags.collect()));
        call.send().await.map(|_| ()).map_err(|error| fault(PART, error))
    }
}
