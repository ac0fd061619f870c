//! NAL units in a byte stream: start codes, the header, emulation prevention (ITU-T H.264 7.3.1,
//! 7.4.1, Annex B).

/// nal_unit_type (Table 7-1), as far as we write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NalKind {
    Slice = 1,
    IdrSlice = 5,
    SequenceParameterSet = 7,
    PictureParameterSet = 8,
}

/// Every unit we write is needed by others: parameter sets, and slices of reference pictures.
const NAL_REF_IDC: u8 = 3;

/// Appends one NAL unit with its start code to a byte stream.
pub(super) fn append(stream: &mut Vec<u8>, kind: NalKind, payload: &[u8]) {
    stream.extend([0, 0, 0, 1, NAL_REF_IDC << 5 | kind as u8]);
    let mut zeros = 0;
    for &byte in payload {
        // Two zeros and a byte up to 3 would look like a start code: 3 goes in between.
        if zeros == 2 && byte <= 3 {
            stream.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        stream.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescaped(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        for &byte in bytes {
            if !(byte == 3 && plain.ends_with(&[0, 0]) && !plain.ends_with(&[0, 0, 0])) {
                plain.push(byte);
            } else {
                // A mark that the two zeros were used up.
                plain.push(0xee);
                plain.pop();
            }
        }
        plain
    }

    #[test]
    fn start_codes_cannot_appear_inside() {
        let mut stream = Vec::new();
        append(&mut stream, NalKind::IdrSlice, &[0, 0, 1, 0, 0, 0, 0, 0, 3, 9]);
        assert_eq!(stream, [0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 0, 3, 9]);
    }

    proptest! {
        #[test]
        fn no_payload_holds_a_start_code(payload in prop::collection::vec(0u8..5, 1..200)) {
            let mut stream = Vec::new();
            append(&mut stream, NalKind::Slice, &payload);
            prop_assert!(!stream[5..].windows(3).any(|w| w[..2] == [0, 0] && w[2] < 3));
            prop_assert!(unescaped(&stream[5..]).len() <= stream.len() - 5);
        }
    }
}
