//! Putting a graph together: nodes one after the other, and the tensors that they read.

use super::proto::{Attribute, AttributeKind, FLOAT, INT64, Node, Tensor};

/// The nodes and tensors so far.
///
/// Values inside are named `LAYER.WHAT`. No layer's name has a dot, so they cannot meet the graph's inputs and outputs.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) nodes: Vec<Node>,
    pub(super) initializers: Vec<Tensor>,
}

impl Builder {
    /// Adds an operation from `inputs` to one value; returns that value's name. The node gets another one: some readers keep
    /// nodes and values in one list of names.
    pub(super) fn node(
        &mut self,
        op: &str,
        value: &str,
        inputs: &[&str],
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> String {
        self.nodes.push(Node {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![value.to_owned()],
            name: format!("{value}/{op}"),
            op_type: op.to_owned(),
            attribute: attributes.into_iter().collect(),
        });
        value.to_owned()
    }

    /// Adds a tensor of values; returns its name.
    pub(super) fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len(), "{name}");
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, dims, FLOAT, raw_data)
    }

    /// Adds a list of whole numbers; returns its name.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, &[values.len()], INT64, raw_data)
    }

    fn tensor(&mut self, name: &str, dims: &[usize], data_type: i32, raw_data: Vec<u8>) -> String {
        let dims = dims.iter().map(|&size| size as i64).collect();
        self.initializers.push(Tensor { dims, data_type, name: name.to_owned(), raw_data });
        name.to_owned()
    }

    /// Gives the value that the graph ends with the name by which a user asks for it.
    pub(super) fn rename_output(&mut self, value: &str, name: &str) {
        for output in self.nodes.iter_mut().flat_map(|node| &mut node.output) {
            if output == value {
                name.clone_into(output);
            }
        }
    }
}

/// A setting that is a list, such as `pads`.
pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: AttributeKind::Ints.into(), ..Attribute::default() }
}

/// A setting that is a whole number, such as `axis`.
pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, kind: AttributeKind::Int.into(), ..Attribute::default() }
}

/// A setting that is a number, such as `alpha`.
pub(super) fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: name.to_owned(), f, kind: AttributeKind::Float.into(), ..Attribute::default() }
}
