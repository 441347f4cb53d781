//! What a handful of measured times says: the middle, and how far the rest is from it.

use std::time::Duration;

/// Samples in ascending order; never empty.
#[derive(Clone, Debug)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// `None` without a sample, because nothing was measured then.
    pub fn new(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        (!samples.is_empty()).then_some(Samples(samples))
    }

    pub fn median(&self) -> Duration {
        self.quantile(1, 2)
    }

    pub fn min(&self) -> Duration {
        self.0[0]
    }

    pub fn max(&self) -> Duration {
        self.0[self.0.len() - 1]
    }

    /// The distance between the quarters: half of all samples lie within it.
    pub fn quartile_range(&self) -> Duration {
        self.quantile(3, 4) - self.quantile(1, 4)
    }

    pub fn all(&self) -> &[Duration] {
        &self.0
    }

    /// The value below which `numerator / denominator` of the samples lie, interpolated between neighbours.
    fn quantile(&self, numerator: u32, denominator: u32) -> Duration {
        let steps = (self.0.len() - 1) as u32 * numerator;
        let (index, rest) = ((steps / denominator) as usize, steps % denominator);
        let low = self.0[index];
        match self.0.get(index + 1) {
            Some(high) => low + (*high - low) * rest / denominator,
            None => low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(milliseconds: &[u64]) -> Samples {
        Samples::new(
            milliseconds
                .iter()
                .map(|ms| Duration::from_millis(*ms))
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(samples(&[9, 1, 5]).median(), Duration::from_millis(5));
        assert_eq!(samples(&[4, 1, 3, 2]).median(), Duration::from_micros(2500));
        assert_eq!(samples(&[7]).median(), Duration::from_millis(7));
    }

    #[test]
    fn one_outlier_moves_the_maximum_and_not_the_quartiles() {
        let samples = samples(&[10, 11, 12, 13, 1000]);
        assert_eq!(samples.max(), Duration::from_millis(1000));
        assert_eq!(samples.min(), Duration::from_millis(10));
        assert_eq!(samples.quartile_range(), Duration::from_millis(2));
    }

    #[test]
    fn nothing_measured_has_no_statistics() {
        assert!(Samples::new(Vec::new()).is_none());
    }
}
