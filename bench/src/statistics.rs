//! Middle values.

/// The value below which `part` of the others are; they get sorted.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * part) as usize).min(values.len() - 1);
    values[at]
}

/// The value in the middle, of an even number of them the mean of two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    let upper = quantile(&mut sorted, 0.5);
    if sorted.is_empty() || sorted.len() % 2 == 1 { upper } else { (upper + sorted[sorted.len() / 2 - 1]) / 2.0 }
}
