//! Bits and Exp-Golomb codes (ITU-T H.264 7.2, 9.1).
//!
//! [`BitWriter`] writes them, [`BitCounter`] only counts, for decisions by rate. Not here:
//! start codes and emulation prevention (`nal`), residual codes (`cavlc`).

/// Takes bits, the most significant first.
pub(super) trait BitSink {
    /// Takes the lowest `bits` (at most 32) bits of `value`; the bits above must be zero.
    fn put(&mut self, value: u32, bits: u32);

    /// ue(v): an unsigned Exp-Golomb code.
    fn put_ue(&mut self, value: u32) {
        let length = ue_bits(value).div_ceil(2);
        self.put(0, length - 1);
        self.put(value + 1, length);
    }

    /// se(v): a signed Exp-Golomb code (Table 9-3).
    fn put_se(&mut self, value: i32) {
        self.put_ue(se_code(value));
    }
}

/// The length of ue(v).
pub(super) const fn ue_bits(value: u32) -> u32 {
    2 * (value + 1).ilog2() + 1
}

/// The length of se(v).
pub(super) const fn se_bits(value: i32) -> u32 {
    ue_bits(se_code(value))
}

const fn se_code(value: i32) -> u32 {
    if value > 0 { 2 * value as u32 - 1 } else { 2 * value.unsigned_abs() }
}

/// Collects bits into bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that do not fill a byte yet, at the lower end.
    rest: u64,
    /// How many there are: below 8 between calls.
    rest_bits: u32,
}

impl BitWriter {
    /// Ends the payload with rbsp_trailing_bits (7.3.2.11), leaves its bytes to `use_bytes`, and
    /// starts anew.
    pub(super) fn finish(&mut self, use_bytes: impl FnOnce(&[u8])) {
        self.put(1, 1);
        self.put(0, (8 - self.rest_bits) % 8);
        use_bytes(&self.bytes);
        self.bytes.clear();
    }
}

impl BitSink for BitWriter {
    fn put(&mut self, value: u32, bits: u32) {
        debug_assert!(bits <= 32 && u64::from(value) < 1 << bits);
        self.rest = self.rest << bits | u64::from(value);
        self.rest_bits += bits;
        while self.rest_bits >= 8 {
            self.rest_bits -= 8;
            self.bytes.push((self.rest >> self.rest_bits) as u8);
        }
    }
}

/// Counts bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BitCounter(pub(super) u32);

impl BitSink for BitCounter {
    fn put(&mut self, _value: u32, bits: u32) {
        self.0 += bits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut BitWriter)) -> String {
        let mut writer = BitWriter::default();
        write(&mut writer);
        let mut bits = String::new();
        writer.finish(|bytes| bits = bytes.iter().map(|byte| format!("{byte:08b}")).collect());
        // Without the stop bit and what follows it.
        bits.truncate(bits.rfind('1').unwrap());
        bits
    }

    #[test]
    fn unsigned_codes_are_those_of_table_9_2() {
        for (value, code) in
            [(0, "1"), (1, "010"), (2, "011"), (3, "00100"), (6, "00111"), (7, "0001000"), (9, "0001010")]
        {
            assert_eq!(written(|w| w.put_ue(value)), code);
            assert_eq!(ue_bits(value) as usize, code.len());
        }
    }

    #[test]
    fn signed_codes_are_those_of_table_9_3() {
        for (value, code) in [(0, "1"), (1, "010"), (-1, "011"), (2, "00100"), (-2, "00101"), (3, "00110")] {
            assert_eq!(written(|w| w.put_se(value)), code);
            assert_eq!(se_bits(value) as usize, code.len());
        }
    }

    #[test]
    fn long_fields_keep_their_bits() {
        let bits = written(|w| {
            w.put(0b101, 3);
            w.put(0xdead_beef, 32);
            w.put_ue(65_534);
        });
        assert_eq!(bits, format!("101{:032b}{:015}{:016b}", 0xdead_beefu32, 0, 65_535));
    }

    #[test]
    fn the_counter_counts_what_the_writer_writes() {
        let mut counter = BitCounter::default();
        for value in 0..300 {
            let before = counter.0;
            counter.put_ue(value);
            assert_eq!((counter.0 - before) as usize, written(|w| w.put_ue(value)).len());
        }
    }
}
