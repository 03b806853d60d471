//! What roles do by themselves, again and again, until the process stops.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How often a process hears what others on the same databases did: what ended there may still be taken
/// here for as long.
pub const HEAR: Duration = Duration::from_secs(2);
/// How often what is long over is forgotten.
pub const FORGET: Duration = Duration::from_secs(60 * 60);

/// Does `work` at once and then after each `period`; what runs when the process stops is left to end.
pub async fn every<W, F>(period: Duration, stop: CancellationToken, mut work: W)
where
    W: FnMut() -> F,
    F: Future<Output = ()>,
{
    loop {
        work().await;
        if stop.run_until_cancelled(tokio::time::sleep(period)).await.is_none() {
            return;
        }
    }
}

/// Says that something was not forgotten; the next time it is tried again.
pub fn note<T, E: std::error::Error>(service: &'static str, forgotten: Result<T, E>) {
    if let Err(error) = forgotten {
        tracing::warn!(service, %error, "what is long over was not forgotten");
    }
}

/// Says that room was made for rows to come, or that it was not: they are kept all the same, less tidily.
pub fn note_room<E: std::error::Error>(service: &'static str, made: Result<i64, E>) {
    match made {
        Ok(0) => {}
        Ok(partitions) => tracing::info!(service, partitions, "partitions were made"),
        Err(error) => tracing::warn!(service, %error, "no partitions were made ahead"),
    }
}
