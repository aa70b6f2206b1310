//! The fleet at AWS.

use std::sync::Arc;

use aws_config::SdkConfig;

use super::autoscaling::Groups;
use super::ec2::Instances;
use super::elb::TargetGroups;
use super::functions::Functions;
use crate::ports::fleet::Fleet;

/// Of one tag, no more than `instances_max` instances are touched.
pub fn fleet(config: &SdkConfig, instances_max: usize) -> Fleet {
    Fleet {
        groups: Arc::new(Groups::new(config)),
        instances: Arc::new(Instances::new(config, instances_max)),
        functions: Arc::new(Functions::new(config)),
        targets: Arc::new(TargetGroups::new(config)),
    }
}
