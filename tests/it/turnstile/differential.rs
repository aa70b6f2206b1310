//! The scripts against the specification: the same random commands to both, and every answer compared.

use futures_util::future::join_all;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::redis::RedisTurnstile;

use super::commands::{Command, Life, Said, seed};

const LIVES: u64 = 40;
const COMMANDS: usize = 2_600;
/// Sent at once on one connection, which keeps their order.
const AT_ONCE: usize = 50;

#[tokio::test]
async fn redis_answers_as_the_specification_does() {
    let (seed, redis, model) = (seed(), super::redis().await, MemoryTurnstile::new());
    let (mut reserves, mut releases, mut parts, mut stale) = (0, 0, 0, 0);
    for number in 1..=LIVES {
        let mut life = Life::new(seed, number);
        let mut sent: Vec<(usize, Command, Said)> = Vec::new();
        // One at a time: a script that a server is sent for the first time comes out of turn.
        for command in life.beginning() {
            let said = command.run(&model, life.sale).await;
            compare(&redis, &life, seed, &[(0, command, said)]).await;
        }
        for at in 1..=COMMANDS {
            let command = life.next(&model).await;
            let said = command.run(&model, life.sale).await;
            reserves += usize::from(matches!(command, Command::Reserve(..)));
            releases += usize::from(matches!(command, Command::Release(..)));
            parts += usize::from(
                matches!(&command, Command::Release(_, ended) if ended.iter().any(|one| one.part.is_some())),
            );
            stale += usize::from(said.is_stale());
            let is_of_a_state = matches!(command, Command::Restore(_) | Command::Snapshot);
            // Whole states travel on a connection of their own, so that the calls before must be over.
            if is_of_a_state || sent.len() == AT_ONCE {
                compare(&redis, &life, seed, &std::mem::take(&mut sent)).await;
            }
            sent.push((at, command, said));
            if is_of_a_state {
                compare(&redis, &life, seed, &std::mem::take(&mut sent)).await;
            }
        }
        sent.push((COMMANDS, Command::Look, Command::Look.run(&model, life.sale).await));
        compare(&redis, &life, seed, &sent).await;
        let end = (COMMANDS, Command::Snapshot, Command::Snapshot.run(&model, life.sale).await);
        compare(&redis, &life, seed, &[end]).await;
    }
    let enough = reserves > 40_000 && releases > 20_000 && parts > 10_000 && stale > 1_000;
    assert!(
        enough,
        "{reserves} reserves, {releases} releases, {parts} with a part, and {stale} stale answers are too few"
    );
}

async fn compare(redis: &RedisTurnstile, life: &Life, seed: u64, sent: &[(usize, Command, Said)]) {
    let answers = join_all(sent.iter().map(|(_, command, _)| command.run(redis, life.sale))).await;
    for ((at, command, expected), answer) in sent.iter().zip(&answers) {
        assert_eq!(answer, expected, "MIAOSHA_SEED={seed}, sale {}, command {at}: {command:?}", life.sale);
    }
}
