//! What a handful of measured values says: the middle, and how far the rest is from it.

/// Samples in ascending order; never empty.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// `None` without a sample, because nothing was measured then.
    pub fn new(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_unstable_by(f64::total_cmp);
        (!samples.is_empty()).then_some(Samples(samples))
    }

    pub fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    pub fn min(&self) -> f64 {
        self.0[0]
    }

    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The distance between the quarters: half of all samples lie within it.
    pub fn quartile_range(&self) -> f64 {
        self.quantile(3, 4) - self.quantile(1, 4)
    }

    pub fn all(&self) -> &[f64] {
        &self.0
    }

    /// The value below which `numerator / denominator` of the samples lie, interpolated between neighbours.
    pub fn quantile(&self, numerator: u32, denominator: u32) -> f64 {
        let steps = (self.0.len() - 1) as u32 * numerator;
        let (index, rest) = ((steps / denominator) as usize, steps % denominator);
        let low = self.0[index];
        match self.0.get(index + 1) {
            Some(high) => low + (*high - low) * f64::from(rest) / f64::from(denominator),
            None => low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples::new(values.to_vec()).unwrap()
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middles() {
        assert_eq!(samples(&[9.0, 1.0, 5.0]).median(), 5.0);
        assert_eq!(samples(&[4.0, 1.0, 3.0, 2.0]).median(), 2.5);
        assert_eq!(samples(&[7.0]).median(), 7.0);
    }

    #[test]
    fn one_outlier_moves_the_maximum_and_not_the_quartiles() {
        let samples = samples(&[10.0, 11.0, 12.0, 13.0, 1000.0]);
        assert_eq!(samples.max(), 1000.0);
        assert_eq!(samples.min(), 10.0);
        assert_eq!(samples.quartile_range(), 2.0);
    }

    #[test]
    fn nothing_measured_has_no_statistics() {
        assert!(Samples::new(Vec::new()).is_none());
    }
}
