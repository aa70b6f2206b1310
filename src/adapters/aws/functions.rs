//! Provisioned concurrency: how many of a function's environments stand ready under an alias. Tags belong to the function, so a
//! wish's key names the alias too.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::operation::get_provisioned_concurrency_config::GetProvisionedConcurrencyConfigOutput;
use aws_sdk_lambda::types::ProvisionedConcurrencyStatusEnum as Status;

use super::fault;
use crate::ports::fleet::{Kind, Qualified, Seen};
use crate::ports::{Fault, Result};

const PART: &str = "functions";

pub struct Functions {
    client: Client,
}

impl Functions {
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// `None` when there is no such function.
    async fn of(&self, named: &Qualified) -> Result<Option<Seen<u32>>> {
        let found = match self.client.get_function_configuration().function_name(&named.name).send().await {
            Ok(found) => found,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
                return Ok(None);
            }
            Err(error) => return Err(fault(PART, error)),
        };
        let arn = found.function_arn().ok_or_else(|| Fault::new(PART, "a function without an ARN"))?;
        let tags = self.client.list_tags().resource(arn).send().await.map_err(|error| fault(PART, error))?;
        let (level, waits) = self.provisioned(arn, &named.qualifier).await?;
        Ok(Some(Seen {
            id: format!("{arn}:{}", named.qualifier),
            name: format!("{}:{}", named.name, named.qualifier),
            level,
            tags: tags.tags().cloned().unwrap_or_default().into_iter().collect(),
            waits,
            moves: false,
            feeds: Vec::new(),
        }))
    }

    async fn provisioned(&self, arn: &str, qualifier: &str) -> Result<(u32, Option<String>)> {
        let call = self.client.get_provisioned_concurrency_config().function_name(arn).qualifier(qualifier);
        match call.send().await {
            Ok(config) => Ok(reached(&config)),
            Err(error) => {
                let none = |error: &aws_sdk_lambda::operation::get_provisioned_concurrency_config::GetProvisionedConcurrencyConfigError| {
                    error.is_provisioned_concurrency_config_not_found_exception()
                };
                if error.as_service_error().is_some_and(none) { Ok((0, None)) } else { Err(fault(PART, error)) }
            }
        }
    }
}

fn reached(config: &GetProvisionedConcurrencyConfigOutput) -> (u32, Option<String>) {
    let count = |count: Option<i32>| u32::try_from(count.unwrap_or_default()).unwrap_or_default();
    let wanted = count(config.requested_provisioned_concurrent_executions());
    let allocated = count(config.allocated_provisioned_concurrent_executions());
    match config.status() {
        Some(Status::Ready) => (wanted, None),
        // What failed counts as what it came to, so that it is asked for again.
        Some(Status::Failed) => {
            let why = config.status_reason().unwrap_or("without a reason");
            (allocated, Some(format!("{allocated} of {wanted} are provisioned, and then it failed: {why}")))
        }
        _ => (wanted, Some(format!("{allocated} of {wanted} are provisioned"))),
    }
}

/// The function's own ARN, and the alias.
fn parts(id: &str) -> Result<(&str, &str)> {
    id.rsplit_once(':').ok_or_else(|| Fault::new(PART, "an id without an alias"))
}

#[async_trait]
impl Kind<u32, Qualified> for Functions {
    fn look_max(&self) -> usize {
        1
    }

    async fn look(&self, named: &[Qualified]) -> Result<Vec<Seen<u32>>> {
        let mut all = Vec::new();
        for function in named {
            all.extend(self.of(function).await?);
        }
        Ok(all)
    }

    async fn set(&self, ids: &[String], level: u32) -> Result<()> {
        for id in ids {
            let (arn, qualifier) = parts(id)?;
            if level == 0 {
                let call = self.client.delete_provisioned_concurrency_config();
                call.function_name(arn).qualifier(qualifier).send().await.map_err(|error| fault(PART, error))?;
            } else {
                let call = self.client.put_provisioned_concurrency_config().function_name(arn).qualifier(qualifier);
                let call = call.provisioned_concurrent_executions(level as i32);
                call.send().await.map_err(|error| fault(PART, error))?;
            }
        }
        Ok(())
    }

    async fn tag(&self, ids: &[String], key: &str, value: &str) -> Result<()> {
        for id in ids {
            let call = self.client.tag_resource().resource(parts(id)?.0).tags(key, value);
            call.send().await.map_err(|error| fault(PART, error))?;
        }
        Ok(())
    }

    async fn untag(&self, ids: &[String], keys: &[String]) -> Result<()> {
        for id in ids {
            let call = self.client.untag_resource().resource(parts(id)?.0).set_tag_keys(Some(keys.to_vec()));
            call.send().await.map_err(|error| fault(PART, error))?;
        }
        Ok(())
    }
}
