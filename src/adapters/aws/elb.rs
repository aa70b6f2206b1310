//! What a load balancer thinks of its targets.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetHealth, TargetHealthStateEnum as State};

use super::fault;
use crate::ports::Result;
use crate::ports::fleet::{Health, Targets};

const PART: &str = "target groups";

pub struct TargetGroups {
    client: Client,
}

impl TargetGroups {
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

fn health(target: &TargetHealth) -> Health {
    match target.state() {
        Some(State::Healthy) => Health::Healthy,
        Some(State::Draining | State::UnhealthyDraining) => Health::Leaving,
        state => {
            let state = state.map_or("unknown", State::as_str);
            let reason = target.reason().map(|reason| format!(" ({})", reason.as_str()));
            Health::Not(format!("{state}{}", reason.unwrap_or_default()))
        }
    }
}

#[async_trait]
impl Targets for TargetGroups {
    async fn health(&self, group: &str) -> Result<Vec<Health>> {
        let answer = self.client.describe_target_health().target_group_arn(group).send().await;
        let answer = answer.map_err(|error| fault(PART, error))?;
        let unknown = || Health::Not("unknown".to_owned());
        let targets = answer.target_health_descriptions().iter();
        Ok(targets.map(|target| target.target_health().map_or_else(unknown, health)).collect())
    }
}
