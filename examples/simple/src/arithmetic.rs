//! Sums and products of numbers whose types are only known at run time. Integers stay integers.

use wslink::{CallError, Value};

/// The sum of a list; 0 for anything else.
pub(crate) fn sum(numbers: &Value) -> Result<Value, CallError> {
    fold(numbers, 0, i64::checked_add, |a, b| a + b)
}

/// The product of a list; 0 for anything else.
pub(crate) fn product(numbers: &Value) -> Result<Value, CallError> {
    fold(numbers, 1, i64::checked_mul, |a, b| a * b)
}

#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

fn fold(
    numbers: &Value,
    empty: i64,
    integers: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
) -> Result<Value, CallError> {
    let Value::List(numbers) = numbers else { return Ok(Value::from(0)) };
    let mut total = Number::Integer(empty);
    for value in numbers {
        total = match (total, number(value)?) {
            (Number::Integer(a), Number::Integer(b)) => {
                Number::Integer(integers(a, b).ok_or_else(|| CallError::exception("the result is too large for an integer"))?)
            }
            (a, b) => Number::Float(floats(a.as_f64(), b.as_f64())),
        };
    }
    Ok(match total {
        Number::Integer(value) => Value::from(value),
        Number::Float(value) => Value::from(value),
    })
}

fn number(value: &Value) -> Result<Number, CallError> {
    match value {
        Value::Integer(value) => Ok(Number::Integer(*value)),
        Value::Unsigned(value) => Ok(Number::Float(*value as f64)),
        Value::Float(value) => Ok(Number::Float(*value)),
        Value::Bool(value) => Ok(Number::Integer((*value).into())),
        Value::Null | Value::Text(_) | Value::Binary(_) | Value::List(_) | Value::Map(_) => {
            Err(CallError::exception("the list has something that is no number"))
        }
    }
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<T: Into<Value>, const N: usize>(items: [T; N]) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }

    #[test]
    fn integers_stay_integers() {
        assert_eq!(sum(&list([1, 2, 3])), Ok(Value::Integer(6)));
        assert_eq!(product(&list([Value::from(1.5), Value::from(2), Value::from(2)])), Ok(Value::Float(6.0)));
        assert_eq!(sum(&list::<i64, 0>([])), Ok(Value::Integer(0)));
        assert_eq!(product(&list::<i64, 0>([])), Ok(Value::Integer(1)));
    }

    #[test]
    fn what_is_no_list_is_nothing_and_what_is_no_number_is_an_error() {
        assert_eq!(sum(&Value::from("text")), Ok(Value::Integer(0)));
        assert!(sum(&list(["text"])).is_err());
        assert!(product(&list([i64::MAX, 2])).is_err());
    }
}
