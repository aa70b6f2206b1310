//! The scripts against the specification: the same random commands to both, and every answer compared.

use futures_util::future::join_all;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;

use super::commands::{Command, Life, Said, seed};

const LIVES: u64 = 40;
const COMMANDS: usize = 2_600;
/// Sent at once on one connection, which keeps their order.
const AT_ONCE: usize = 50;

#[tokio::test]
async fn redis_answers_as_the_specification_does() {
    let (seed, redis, model) = (seed(), super::redis().await, MemoryTurnstile::new());
    let mut told = [0_u32; 2];
    for number in 1..=LIVES {
        let mut life = Life::new(seed, number);
        for from in (0..COMMANDS).step_by(AT_ONCE) {
            let mut commands: Vec<(Command, Said)> = Vec::new();
            for _ in 1..AT_ONCE {
                let command = life.next(&model).await;
                let said = command.run(&model, life.sale).await;
                told[usize::from(matches!(said, Said::Reserved(_)))] += 1;
                commands.push((command, said));
            }
            commands.push((Command::Snapshot, Command::Snapshot.run(&model, life.sale).await));
            let answers = join_all(commands.iter().map(|(command, _)| command.run(&redis, life.sale))).await;
            for (at, ((command, expected), answer)) in commands.iter().zip(&answers).enumerate() {
                assert_eq!(answer, expected, "MIAOSHA_SEED={seed}, life {number}, command {}: {command:?}", from + at);
            }
        }
    }
    let [others, reserves] = told;
    assert!(reserves > 40_000 && others > 40_000 && reserves + others > 100_000, "{told:?} commands are too few");
}
