//! What wakes and tells, over every adapter.

mod memory {
    use miaosha::adapters::memory::signals::MemorySignals;
    use miaosha::ports::news::{News, NewsStream};
    use miaosha::ports::notices::{NoticeStream, Notices};

    use crate::contract::signals;

    #[tokio::test]
    async fn deadlines_ring() {
        signals::deadlines_ring(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn a_dropped_deadline_rings_again() {
        signals::a_dropped_deadline_rings_again(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn a_deadline_rings_once() {
        signals::a_deadline_rings_once(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn notices_reach_everybody() {
        signals::notices_reach_everybody(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn news_reach_everybody() {
        signals::news_reach_everybody(&MemorySignals::new()).await;
    }

    #[tokio::test]
    async fn news_greet_a_newcomer() {
        signals::news_greet_a_newcomer(&MemorySignals::new()).await;
    }

    /// A payment-consumer of before the deploy says nothing of a line's end.
    #[test]
    fn older_news_are_read() {
        let mut word = serde_json::to_value(signals::news(1, 1)).unwrap();
        assert_eq!(word["sale"].as_object_mut().unwrap().remove("standby_until"), Some("closed".into()));
        let read: miaosha::ports::news::SaleNews = serde_json::from_value(word).unwrap();
        assert_eq!(read.sale, signals::news(1, 1).sale);
    }

    /// Who does not keep up hears of it, instead of missing some in silence; memory stays bounded.
    #[tokio::test]
    async fn who_lags_begins_anew() {
        let signals = MemorySignals::new();
        let mut stream = signals.notices().await.unwrap();
        for number in 0..5_000 {
            signals.tell(&[signals::notice(number)]).await.unwrap();
        }
        assert_eq!(stream.next().await.unwrap_err().part, "broker");
        let mut stream = signals.notices().await.unwrap();
        signals.tell(&[signals::notice(1)]).await.unwrap();
        assert_eq!(stream.next().await.unwrap(), [signals::notice(1)]);
    }

    /// A sale nobody has spoken of for long is not told to newcomers.
    #[tokio::test]
    async fn old_news_are_forgotten() {
        let signals = MemorySignals::new();
        signals.publish(&signals::bulletin([signals::news(1, 1)])).await.unwrap();
        signals.publish(&signals::bulletin([signals::news(2, 100_000)])).await.unwrap();
        let heard = signals.news().await.unwrap().next().await.unwrap();
        assert_eq!(heard.sales.iter().map(|word| word.sale.id.0).collect::<Vec<_>>(), [2]);
    }
}

mod rabbit {
    use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};

    use crate::contract::signals;
    use crate::support::servers::{rabbit_url, unique_name};

    async fn broker() -> RabbitBroker {
        let config = RabbitConfig {
            at: rabbit_url().into(),
            namespace: unique_name(),
            partitions: 1,
            queue_messages_max: 100,
            confirm_ms: 10_000,
        };
        RabbitBroker::connect(config).await.unwrap()
    }

    #[tokio::test]
    async fn deadlines_ring() {
        signals::deadlines_ring(&broker().await).await;
    }

    #[tokio::test]
    async fn a_dropped_deadline_rings_again() {
        signals::a_dropped_deadline_rings_again(&broker().await).await;
    }

    #[tokio::test]
    async fn a_deadline_rings_once() {
        signals::a_deadline_rings_once(&broker().await).await;
    }

    #[tokio::test]
    async fn notices_reach_everybody() {
        signals::notices_reach_everybody(&broker().await).await;
    }

    #[tokio::test]
    async fn news_reach_everybody() {
        signals::news_reach_everybody(&broker().await).await;
    }
}

/// Whatever comes over the wire, a decoder answers.
mod decoders {
    use miaosha::adapters::rabbit::codec;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::contract::events::event;
    use crate::contract::signals::{bulletin, deadline, news, notice};

    fn decode(bytes: &[u8]) {
        let _ = codec::batch(bytes);
        let _ = codec::deadline(bytes);
        let _ = codec::notices(bytes);
        let _ = codec::news(bytes);
        let _ = codec::event(bytes);
    }

    proptest! {
        #[test]
        fn take_anything(bytes in vec(any::<u8>(), 0..200)) {
            decode(&bytes);
        }

        /// Almost right is what a newer version would send.
        #[test]
        fn take_almost_anything(at in any::<prop::sample::Index>(), byte in any::<u8>(), kind in 0..4) {
            let mut bytes = match kind {
                0 => serde_json::to_vec(&deadline(1)),
                1 => serde_json::to_vec(&[notice(1)]),
                2 => serde_json::to_vec(&event(1)),
                _ => serde_json::to_vec(&bulletin([news(1, 2)])),
            }.unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            decode(&bytes);
        }
    }

    #[test]
    fn are_strict() {
        assert_eq!(codec::deadline(&serde_json::to_vec(&deadline(1)).unwrap()), Ok(deadline(1)));
        assert!(codec::deadline(br#"{"sale":1,"reservations":[]}"#).is_err());
        assert!(
            codec::deadline(br#"{"sale":1,"reservations":["00000000000000000000000000000001"],"more":1}"#).is_err()
        );
        let mut crowd = deadline(1);
        crowd.reservations = vec![crowd.reservations[0]; 513];
        assert!(codec::deadline(&serde_json::to_vec(&crowd).unwrap()).is_err());
    }
}
