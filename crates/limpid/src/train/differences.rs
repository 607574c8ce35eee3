//! In what two settings of a run differ, in words.

use serde_json::Value;

use super::TrainConfig;

impl TrainConfig {
    /// In what `other` differs from these settings, one item for each, such as `adam.learning_rate is 0.002, not 0.001`.
    /// Layers are called by their names.
    ///
    /// ```
    /// use limpid::train::TrainConfig;
    ///
    /// let (one, other) = (TrainConfig::default(), TrainConfig { seed: 7, ..TrainConfig::default() });
    /// assert_eq!(one.differences(&other), ["seed is 7, not 1"]);
    /// ```
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let value = |config| serde_json::to_value(config).expect("settings are made of strings and numbers");
        let mut found = Vec::new();
        compare("", &value(self), &value(other), &mut found);
        found
    }
}

/// Adds what differs below a place in the two trees.
fn compare(place: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let more = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(more) {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                compare(
                    &place,
                    one.get(key).unwrap_or(&Value::Null),
                    other.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place} {}", name(one, index)), one, other, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            let names = |all: &[Value]| {
                all.iter().enumerate().map(|(i, v)| name(v, i)).collect::<Vec<_>>().join(", ")
            };
            found.push(format!("{place} has {}, not {}", names(other), names(one)));
        }
        _ if one == other => {}
        (Value::Null, _) => found.push(format!("{place} is {other}, not left out")),
        (_, Value::Null) => found.push(format!("{place} is left out, not {one}")),
        _ => found.push(format!("{place} is {other}, not {one}")),
    }
}

/// What a member of a list is called: by its name, if it has one.
fn name(value: &Value, index: usize) -> String {
    value.get("name").map_or_else(|| (index + 1).to_string(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Activation, LayerKind, NetSpec};
    use crate::optim::{Adam, Schedule};

    #[test]
    fn settings_are_named_with_both_values() {
        let one = TrainConfig::default();
        assert_eq!(one.differences(&one), [""; 0]);
        let other = TrainConfig {
            epochs: 50,
            noise: "gaussian:0.25".parse().unwrap(),
            schedule: Schedule::Linear,
            adam: Adam { beta2: 0.95, ..one.adam },
            ..one.clone()
        };
        assert_eq!(
            one.differences(&other),
            [
                "adam.beta2 is 0.95, not 0.999",
                "epochs is 50, not 25",
                "noise is \"gaussian:0.25\", not \"gaussian:0.5\"",
                "schedule is \"linear\", not \"constant\"",
            ]
        );
    }

    #[test]
    fn layers_are_called_by_their_names() {
        let one = TrainConfig::default();
        let with = |edit: fn(&mut NetSpec)| {
            let mut other = one.clone();
            edit(&mut other.net);
            one.differences(&other)
        };
        let filters = with(|net| {
            let LayerKind::Conv { filters, .. } = &mut net.layers[2].kind else { panic!("conv2") };
            *filters = 16;
        });
        assert_eq!(filters, ["net.layer \"conv2\".filters is 16, not 32"]);
        assert_eq!(
            with(|net| *net = net.clone().with_activation(Activation::Relu))[0],
            "net.layer \"conv1\".activation is \"relu\", not \"lrelu:0.1\""
        );
        let shorter = with(|net| drop(net.layers.remove(4)));
        assert_eq!(shorter.len(), 1, "{shorter:?}");
        assert!(
            shorter[0]
                .starts_with("net.layer has \"conv1\", \"pool1\", \"conv2\", \"encoding\", \"upsample1\"")
        );
        assert_eq!(with(|net| net.input.height = 32), ["net.input 1 is 32, not 28"]);
    }
}
