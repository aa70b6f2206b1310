//! AWS on this machine: one moto for all tests of the process, each with names of its own on it. It ends with the process.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use miaosha::adapters::aws::s3::S3Archive;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

static URL: OnceCell<String> = OnceCell::const_new();
/// Its input is held open for as long as this process lives.
static CHILD: Mutex<Option<Child>> = Mutex::new(None);

/// The shell ends what it started when its input ends, and that is when this process does, however it ends.
const SCRIPT: &str = r#""$1/bin/moto_server" -H 127.0.0.1 -p "$2" >/dev/null 2>&1 & read -r _; kill "$!""#;

pub async fn url() -> &'static str {
    URL.get_or_init(start).await
}

async fn start() -> String {
    let folder =
        std::env::var("MIAOSHA_EMULATORS").expect("MIAOSHA_EMULATORS is not set: run the tests by `make test`");
    for _ in 0..5 {
        let port = super::sink::nobodys_port().await;
        let mut shell = Command::new("bash");
        let shell =
            shell.args(["-c", SCRIPT, "moto", &folder, &port.to_string()]).stdin(Stdio::piped()).spawn().unwrap();
        *CHILD.lock().unwrap() = Some(shell);
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return format!("http://127.0.0.1:{port}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("moto does not start");
}

/// As `adapters::aws::config` makes it, but told where AWS is instead of asking the environment, which all tests share.
pub async fn config() -> aws_config::SdkConfig {
    let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests");
    let config = miaosha::adapters::aws::loader().endpoint_url(url().await);
    config.region(aws_config::Region::new("eu-central-1")).credentials_provider(credentials).load().await
}

/// A bucket of its own, and its name.
pub async fn bucket() -> (String, S3Archive) {
    let (config, name) = (config().await, super::servers::unique_name().replace('_', "-"));
    let settings = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuCentral1).build();
    let create = aws_sdk_s3::Client::from_conf(settings).create_bucket().bucket(&name);
    create.create_bucket_configuration(here).send().await.unwrap();
    (name.clone(), S3Archive::new(&config, name))
}

/// What every AWS client reads from its environment.
pub fn environment(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// A call for which no client is among the dependencies.
pub async fn call(service: &str, method: &str, path: &str, kind: &str, body: String) -> (u16, String) {
    let http = Client::builder(TokioExecutor::new()).build_http();
    let credential = format!("test/20260101/eu-central-1/{service}/aws4_request");
    let call = hyper::Request::builder().method(method).uri(format!("{}{path}", url().await));
    let call = call
        .header("content-type", kind)
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"));
    let (parts, body) = http.request(call.body(Full::<Bytes>::from(body)).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
}
