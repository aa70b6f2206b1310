//! How long a frame to RabbitMQ is, by a counterpart that knows how a conversation begins.

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::kit::work::lifecycle::Lifecycle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn frame(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    let length = u32::from_be_bytes(head[3..].try_into().unwrap());
    let mut payload = vec![0; length as usize + 1];
    stream.read_exact(&mut payload).await?;
    Ok(payload)
}

async fn say(stream: &mut TcpStream, method: u16, rest: &[u8]) -> std::io::Result<()> {
    let payload = [&10_u16.to_be_bytes(), &method.to_be_bytes(), rest].concat();
    let head = [&[1, 0, 0], &(payload.len() as u32).to_be_bytes()[..]].concat();
    stream.write_all(&[&head, &payload[..], &[0xce]].concat()).await
}

/// What is agreed upon with a broker that offers so much.
async fn agreed(mut stream: TcpStream, offered: u32) -> std::io::Result<u32> {
    stream.read_exact(&mut [0; 8]).await?;
    say(&mut stream, 10, b"\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US").await?;
    frame(&mut stream).await?;
    say(&mut stream, 30, &[&[0, 9], &offered.to_be_bytes()[..], &[0, 10]].concat()).await?;
    let answer = frame(&mut stream).await?;
    Ok(u32::from_be_bytes(answer[6..10].try_into().unwrap()))
}

#[tokio::test]
async fn a_frame_to_the_broker_has_its_length() {
    for (offered, taken) in [(32_767, 32_767), (32_768, 32_768), (32_769, 32_768)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = RabbitConfig {
            at: format!("amqp://u:p@{}", listener.local_addr().unwrap()).into(),
            namespace: "limits".to_owned(),
            partitions: 1,
            queue_messages_max: 10,
            confirm_ms: 10_000,
        };
        let agrees = async { agreed(listener.accept().await.unwrap().0, offered).await.unwrap() };
        let (agreed, connected) = tokio::join!(agrees, RabbitBroker::connect(config, Lifecycle::new().tasks()));
        assert!(connected.is_err(), "then the counterpart hangs up");
        assert_eq!(agreed, taken);
    }
}
