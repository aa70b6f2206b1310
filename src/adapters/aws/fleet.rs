//! The fleet at AWS.

use aws_config::SdkConfig;

use super::autoscaling::Groups;
use super::ec2::Instances;
use super::elb::TargetGroups;
use super::functions::Functions;
use crate::ports::fleet::Fleet;

pub struct AwsFleet {
    groups: Groups,
    instances: Instances,
    functions: Functions,
    targets: TargetGroups,
}

impl AwsFleet {
    /// Of one tag, no more than `instances_max` instances are touched.
    pub fn new(config: &SdkConfig, instances_max: usize) -> Self {
        Self {
            groups: Groups::new(config),
            instances: Instances::new(config, instances_max),
            functions: Functions::new(config),
            targets: TargetGroups::new(config),
        }
    }
}

impl Fleet for AwsFleet {
    type Groups = Groups;
    type Instances = Instances;
    type Functions = Functions;
    type Targets = TargetGroups;

    fn groups(&self) -> &Groups {
        &self.groups
    }

    fn instances(&self) -> &Instances {
        &self.instances
    }

    fn functions(&self) -> &Functions {
        &self.functions
    }

    fn targets(&self) -> &TargetGroups {
        &self.targets
    }
}
