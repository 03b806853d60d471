//! Reads `/metrics`: sums of a counter over its labels.

/// One reading of a process's metrics.
#[derive(Clone, Debug, Default)]
pub struct Metrics(String);

impl Metrics {
    pub async fn read(http: &reqwest::Client, base: &str) -> Self {
        let answer = http.get(format!("{base}/metrics")).send().await;
        match answer {
            Ok(answer) => Self(answer.text().await.unwrap_or_default()),
            Err(_) => Self::default(),
        }
    }

    /// The sum over all series of this name whose labels contain each of `labels` (`name="value"`); none when
    /// there is no such series.
    pub fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let values = self.0.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, given) = series.split_once('{').unwrap_or((series, ""));
            let fits = found == name && labels.iter().all(|label| given.contains(label));
            fits.then(|| value.parse::<f64>().ok()).flatten()
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn series_are_summed_over_their_labels() {
        let metrics = Metrics(
            "# TYPE a counter\na{x=\"1\",y=\"1\"} 2\na{x=\"1\",y=\"2\"} 3\na{x=\"2\"} 5\nab 7\n".into(),
        );
        assert_eq!(metrics.sum("a", &["x=\"1\""]), Some(5.0));
        assert_eq!(metrics.sum("a", &[]), Some(10.0));
        assert_eq!(metrics.sum("ab", &[]), Some(7.0));
        assert_eq!(metrics.sum("b", &[]), None);
    }
}
