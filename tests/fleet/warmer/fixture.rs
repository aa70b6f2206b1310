//! A small fleet at AWS with names of its own, and the function as a process that is called as a schedule would call it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_autoscaling::types::Tag as GroupTag;
use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetDescription};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use miaosha::adapters::system::SystemClock;
use serde_json::{Value, json};

use crate::support::front::Front;
use crate::support::lambda::{Function, Program};
use crate::support::moto;
use crate::support::servers::unique_name;

pub const ALIAS: &str = "live";
/// An archive with nothing in it.
const EMPTY_ZIP: [u8; 22] = [0x50, 0x4b, 0x05, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

pub struct Fixture {
    pub front: Front,
    pub function: Function,
    pub groups: aws_sdk_autoscaling::Client,
    pub instances: aws_sdk_ec2::Client,
    pub functions: aws_sdk_lambda::Client,
    /// Of the group, of the function, and the value of the instances' tag.
    pub name: String,
    pub function_arn: String,
    pub general: Vec<String>,
    /// That the group feeds, and of the instances that are not scaled.
    pub fed: String,
    pub stood: String,
}

/// What AWS says of the fixture.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub size: String,
    pub running: usize,
    pub provisioned: u64,
    /// By thing, and only the warmer's.
    pub tags: BTreeMap<String, String>,
}

impl Fixture {
    pub async fn new() -> Self {
        Self::with(Duration::from_secs(3_600), None).await
    }

    /// `time` is the function's own, for each call.
    pub async fn with(time: Duration, log: Option<PathBuf>) -> Self {
        let config = moto::config().await;
        let (groups, instances) = (aws_sdk_autoscaling::Client::new(&config), aws_sdk_ec2::Client::new(&config));
        let targets = aws_sdk_elasticloadbalancingv2::Client::new(&config);
        let functions = aws_sdk_lambda::Client::new(&config);
        let name = unique_name().replace('_', "-");
        let image = instances.describe_images().send().await.unwrap().images()[0].image_id().unwrap().to_owned();
        let (fed, stood) =
            (target_group(&targets, &instances, "a").await, target_group(&targets, &instances, "b").await);
        group(&groups, &name, &image, &fed).await;
        let general = general(&instances, &name, &image).await;
        let of_general = general.iter().map(|id| TargetDescription::builder().id(id).build());
        let register = targets.register_targets().target_group_arn(&stood).set_targets(Some(of_general.collect()));
        register.send().await.unwrap();
        // Only who runs can be registered.
        instances.stop_instances().set_instance_ids(Some(general.clone())).send().await.unwrap();
        let function_arn = mail_function(&functions, &name).await;
        let front = Front::start().await;
        let environment = moto::environment(&front.url).into_iter();
        let environment = environment.map(|(key, value)| (key.to_owned(), value)).chain([
            ("MIAOSHA__WARMER__LOOK_MS".to_owned(), "50".to_owned()),
            ("MIAOSHA__WARMER__ANSWER_MS".to_owned(), "10000".to_owned()),
        ]);
        let function = Function::run(Program { time, log, ..Program::warmer() }, environment.collect());
        Self { front, function, groups, instances, functions, name, function_arn, general, fed, stood }
    }

    /// Of this fixture, until an hour from now.
    pub fn plan(&self, event: &str, action: &str, capacity: u32) -> Value {
        let until = SystemClock::machine_now().plus_ms(3_600_000);
        json!({ "version": 1, "event": event, "action": action, "until": until.rfc3339(),
            "groups": [{ "name": self.name, "capacity": capacity }],
            "instances": [{ "tag": "miaosha:general", "value": self.name }],
            "functions": [{ "name": self.name, "qualifier": ALIAS, "provisioned": capacity * 2 }],
            "target_groups": [self.fed, self.stood], "wait_s_max": 30 })
    }

    pub async fn run(&self, plan: Value) -> Value {
        self.function.invoke(plan).await.expect("it lives").unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn warm(&self, event: &str, capacity: u32) -> Value {
        self.run(self.plan(event, "warm", capacity)).await
    }

    pub async fn cool(&self, event: &str) -> Value {
        self.run(self.plan(event, "cool", 1)).await
    }

    pub async fn refused(&self, plan: Value) -> (String, String) {
        let error = self.function.invoke(plan).await.expect("it lives").unwrap_err();
        let text = |field: &str| error[field].as_str().unwrap().to_owned();
        (text("errorType"), text("errorMessage"))
    }

    pub async fn tag_group(&self, key: &str, value: &str) {
        let tag = GroupTag::builder().resource_id(&self.name).resource_type("auto-scaling-group").key(key).value(value);
        let tag = tag.propagate_at_launch(false).build();
        self.groups.create_or_update_tags().tags(tag).send().await.unwrap();
    }

    pub async fn size_group(&self, min: i32, desired: i32, max: i32) {
        let update = self.groups.update_auto_scaling_group().auto_scaling_group_name(&self.name);
        update.min_size(min).desired_capacity(desired).max_size(max).send().await.unwrap();
    }

    pub async fn state(&self) -> State {
        let described = self.groups.describe_auto_scaling_groups().auto_scaling_group_names(&self.name).send().await;
        let described = described.unwrap();
        let group = &described.auto_scaling_groups()[0];
        let size = |size: Option<i32>| size.unwrap();
        let size = [group.min_size(), group.desired_capacity(), group.max_size()].map(size);
        let mut tags = BTreeMap::new();
        let mut keep = |of: &str, key: &str, value: &str| {
            if let Some(event) = key.strip_prefix("miaosha:warm:") {
                let (amount, rest) = value.split_once('/').unwrap();
                let base = rest.split_once('/').unwrap().1;
                tags.insert(format!("{of} {event}"), format!("{amount} from {base}"));
            }
        };
        for tag in group.tags() {
            keep("group", tag.key().unwrap(), tag.value().unwrap());
        }
        let of = self.instances.describe_instances().set_instance_ids(Some(self.general.clone())).send().await.unwrap();
        let all: Vec<_> = of.reservations().iter().flat_map(|reservation| reservation.instances()).collect();
        for tag in all.iter().flat_map(|instance| instance.tags()) {
            keep("instance", tag.key().unwrap(), tag.value().unwrap());
        }
        let is_running =
            |instance: &&&aws_sdk_ec2::types::Instance| instance.state().unwrap().name().unwrap().as_str() == "running";
        let running = all.iter().filter(is_running).count();
        let of_function = self.functions.list_tags().resource(&self.function_arn).send().await.unwrap();
        for (key, value) in of_function.tags().into_iter().flatten() {
            keep("function", key, value);
        }
        let provisioned = self.front.provisioned(&format!("{}:{ALIAS}", self.name));
        State { size: format!("{}-{}-{}", size[0], size[1], size[2]), running, provisioned, tags }
    }
}

impl State {
    /// As no event leaves it.
    pub fn cold() -> Self {
        Self { size: "1-2-4".to_owned(), running: 0, provisioned: 0, tags: BTreeMap::new() }
    }

    pub fn warm(size: &str, provisioned: u64, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Self { size: size.to_owned(), running: 2, provisioned, tags }
    }
}

async fn target_group(
    targets: &aws_sdk_elasticloadbalancingv2::Client,
    instances: &aws_sdk_ec2::Client,
    name: &str,
) -> String {
    let network = instances.describe_vpcs().send().await.unwrap().vpcs()[0].vpc_id().unwrap().to_owned();
    // AWS allows 32 characters.
    let name = format!("{}-{name}", unique_name().replace('_', "-"));
    let create = targets.create_target_group().name(name).protocol(ProtocolEnum::Http).port(8_081).vpc_id(network);
    let created = create.send().await.unwrap();
    created.target_groups()[0].target_group_arn().unwrap().to_owned()
}

async fn group(groups: &aws_sdk_autoscaling::Client, name: &str, image: &str, fed: &str) {
    let launch = groups.create_launch_configuration().launch_configuration_name(name).image_id(image);
    launch.instance_type("t3.micro").send().await.unwrap();
    let create = groups.create_auto_scaling_group().auto_scaling_group_name(name).launch_configuration_name(name);
    let create = create.min_size(1).desired_capacity(2).max_size(4).availability_zones("eu-central-1a");
    // Its instances carry the general tag too: no one else may stop them.
    let tag = GroupTag::builder().resource_id(name).resource_type("auto-scaling-group").key("miaosha:general");
    let tag = tag.value(name).propagate_at_launch(true).build();
    create.target_group_arns(fed).tags(tag).send().await.unwrap();
}

async fn general(instances: &aws_sdk_ec2::Client, name: &str, image: &str) -> Vec<String> {
    let tag = Tag::builder().key("miaosha:general").value(name).build();
    let tags = TagSpecification::builder().resource_type(ResourceType::Instance).tags(tag).build();
    let run = instances.run_instances().image_id(image).instance_type(InstanceType::T3Micro).min_count(2).max_count(2);
    let started = run.tag_specifications(tags).send().await.unwrap();
    started.instances().iter().map(|instance| instance.instance_id().unwrap().to_owned()).collect()
}

async fn mail_function(functions: &aws_sdk_lambda::Client, name: &str) -> String {
    let role = format!("arn:aws:iam::123456789012:role/{name}");
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let form =
        [("Action", "CreateRole"), ("Version", "2010-05-08"), ("RoleName", name), ("AssumeRolePolicyDocument", policy)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let (status, said) = moto::call("iam", "POST", "/", "application/x-www-form-urlencoded", body).await;
    assert_eq!(status, 200, "{said}");
    let code = FunctionCode::builder().zip_file(Blob::new(EMPTY_ZIP)).build();
    let create = functions.create_function().function_name(name).role(role).code(code);
    let created = create.runtime(Runtime::Providedal2023).handler("bootstrap").publish(true).send().await.unwrap();
    let alias = functions.create_alias().function_name(name).name(ALIAS).function_version("1");
    alias.send().await.unwrap();
    let arn = created.function_arn().unwrap();
    // With `publish`, the version stands behind the name.
    arn.split(':').take(7).collect::<Vec<_>>().join(":")
}
