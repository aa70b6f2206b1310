//! How much of one call to AWS, and how long, by counterparts that know the same limits.

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use miaosha::adapters::aws;
use miaosha::adapters::aws::ec2::Instances;
use miaosha::adapters::aws::fleet::fleet;
use miaosha::adapters::aws::s3::S3Archive;
use miaosha::adapters::aws::sqs::SqsMailQueue;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::fleet::{Kind, Tagged};
use miaosha::ports::mail::transport::{EmailJob, EmailTemplate, MailQueue};
use miaosha::ports::platform::archive::Archive;
use miaosha::workers::warmer::plan::Plan;
use miaosha::workers::warmer::{Settings, Warmer};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::clock::{ManualClock, START};
use crate::support::counterpart::{Asked, Said, counterpart, silent};
use crate::support::held::{Stuck, in_takes};
use crate::support::mail::letter;

async fn config(url: &str) -> SdkConfig {
    let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests");
    let config = aws::loader().endpoint_url(url).region(aws_config::Region::new("eu-central-1"));
    config.credentials_provider(credentials).load().await
}

/// AWS that answers like this, and how much was in each call.
async fn counted(
    answer: impl Fn(&Asked) -> (usize, Said) + Clone + Send + Sync + 'static,
) -> (SdkConfig, Arc<Mutex<Vec<usize>>>) {
    let counts: Arc<Mutex<Vec<usize>>> = Arc::default();
    let count = counts.clone();
    let url = counterpart(move |asked| {
        let (counted, said) = answer(&asked);
        count.lock().unwrap().push(counted);
        async move { said }
    })
    .await;
    (config(&url).await, counts)
}

fn xml(text: String) -> Said {
    (200, "text/xml", text)
}

fn number(asked: &Asked, name: &str) -> usize {
    asked.field(name).map_or(0, |number| number.parse().unwrap())
}

/// A bucket of two thousand keys, named by their numbers.
fn keys(asked: &Asked) -> (usize, Said) {
    let first = asked.field("start-after").map_or(0, |after| after.parse::<usize>().unwrap() + 1);
    let last = (first + number(asked, "max-keys").min(1_000)).min(2_000);
    let key =
        |key| format!("<Contents><Key>{key:04}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>");
    let keys: String = (first..last).map(key).collect();
    (last - first, xml(format!("<ListBucketResult>{keys}</ListBucketResult>")))
}

#[tokio::test]
async fn s3_lists_so_many_keys_in_a_call() {
    in_takes(1_000, async |count| {
        let (config, counts) = counted(keys).await;
        let kept = S3Archive::new(&config, "bucket".to_owned()).list("", None, count as u32).await.unwrap();
        assert_eq!(kept.len(), count);
        counts.lock().unwrap().clone()
    })
    .await;
}

/// As many as there are; it refuses to give more than a thousand at once.
fn instances(asked: &Asked, all: usize) -> (usize, Said) {
    let (first, max) = (number(asked, "NextToken"), number(asked, "MaxResults"));
    if max > 1_000 {
        let error = "<Response><Errors><Error><Code>InvalidMaxResults</Code></Error></Errors></Response>";
        return (0, (400, "text/xml", error.to_owned()));
    }
    let last = (first + max).min(all);
    let instance =
        |id| format!("<item><instanceId>i-{id}</instanceId><instanceState><name>running</name></instanceState></item>");
    let page: String = (first..last).map(instance).collect();
    let next = if last < all { format!("<nextToken>{last}</nextToken>") } else { String::new() };
    let page = format!("<reservationSet><item><instancesSet>{page}</instancesSet></item></reservationSet>{next}");
    (last - first, xml(format!("<DescribeInstancesResponse>{page}</DescribeInstancesResponse>")))
}

#[tokio::test]
async fn ec2_tells_of_so_many_instances_in_a_call() {
    in_takes(1_000, async |count| {
        let (config, counts) = counted(move |asked| instances(asked, count)).await;
        let tagged = Tagged { tag: "Role".to_owned(), value: "x".to_owned() };
        assert_eq!(Instances::new(&config, 2_000).look(&[tagged]).await.unwrap().len(), count);
        counts.lock().unwrap().clone()
    })
    .await;
}

/// None of them exists, and cooling passes over them.
fn groups(asked: &Asked) -> (usize, Said) {
    let named = (1..).take_while(|at| asked.field(&format!("AutoScalingGroupNames.member.{at}")).is_some()).count();
    let none = "<DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult>";
    (named, xml(format!("<DescribeAutoScalingGroupsResponse>{none}</DescribeAutoScalingGroupsResponse>")))
}

#[tokio::test]
async fn so_many_groups_are_looked_at_in_a_call() {
    in_takes(50, async |count| {
        let (config, counts) = counted(groups).await;
        let settings = Settings { groups_max: 60, ..Settings::default() };
        let named: Vec<Value> = (0..count).map(|at| json!({ "name": format!("g{at}"), "capacity": 1 })).collect();
        let until = START.plus_ms(3_600_000).rfc3339();
        let plan = json!({ "version": 1, "event": "e", "action": "cool", "until": until, "groups": named });
        let plan = Plan::read(&plan, &settings).unwrap();
        let (fleet, clock) = (fleet(&config, settings.instances_max), ManualClock::new());
        Warmer { fleet, settings, clock }.run(&plan, START.plus_ms(60_000)).await.unwrap();
        counts.lock().unwrap().clone()
    })
    .await;
}

fn letters(asked: &Asked) -> (usize, Said) {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let entries = body["Entries"].as_array().unwrap();
    let taken = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x" });
    let said = json!({ "Successful": entries.iter().map(taken).collect::<Vec<_>>(), "Failed": [] });
    (entries.len(), (200, "application/x-amz-json-1.0", said.to_string()))
}

async fn posted(letters_to_post: &[EmailJob]) -> Vec<usize> {
    let (config, counts) = counted(letters).await;
    SqsMailQueue::new(&config, "http://127.0.0.1/queue".to_owned()).enqueue(letters_to_post).await.unwrap();
    counts.lock().unwrap().clone()
}

fn some_letter() -> EmailJob {
    letter(Locale::En, EmailTemplate::PasswordChanged)
}

#[tokio::test]
async fn sqs_takes_so_many_letters_in_a_call() {
    in_takes(10, async |count| posted(&vec![some_letter(); count]).await).await;
}

#[tokio::test]
async fn sqs_takes_letters_of_so_many_bytes_in_a_call() {
    let bytes = |letter: &EmailJob| serde_json::to_string(letter).unwrap().len();
    let plain = some_letter();
    let of = |total: usize| {
        let mut long = plain.clone();
        long.item.push_str(&"x".repeat(total - 2 * bytes(&plain)));
        assert_eq!(bytes(&plain) + bytes(&long), total);
        [plain.clone(), long]
    };
    assert_eq!(posted(&of(262_144)).await, [2]);
    assert_eq!(posted(&of(262_145)).await, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn aws_may_take_so_long_each_time_and_in_all() {
    let stuck = Stuck::default();
    let url = silent(&stuck).await;
    let archive = S3Archive::new(&config(&url).await, "bucket".to_owned());
    let begun = Instant::now();
    archive.get("key").await.unwrap_err();
    assert_eq!(begun.elapsed().as_millis(), 30_000);
    assert_eq!(stuck.stays_ms()[..2], [10_000, 10_000]);
}
