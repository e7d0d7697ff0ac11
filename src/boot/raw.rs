//! Reading and writing the little-endian records of the boot header in the order of their fields.

/// Takes fields off the front of a record.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    /// The next `N` bytes; zeros behind the end, which the records' size tests rule out.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.0 = tail;
                *head
            }
            None => [0; N],
        }
    }
}

/// A field of fixed size.
pub(super) trait Raw: Sized {
    /// Bytes it takes.
    const SIZE: usize;
    /// Takes it off the front.
    fn get(reader: &mut Reader<'_>) -> Self;
    /// Puts it at the end.
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Raw for $type {
            const SIZE: usize = size_of::<$type>();
            fn get(reader: &mut Reader<'_>) -> Self {
                <$type>::from_le_bytes(reader.take())
            }
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
        }
    )*};
}
number!(u8, u16, u32);

impl<T: Raw, const N: usize> Raw for [T; N] {
    const SIZE: usize = N * T::SIZE;
    fn get(reader: &mut Reader<'_>) -> Self {
        std::array::from_fn(|_| T::get(reader))
    }
    fn put(&self, out: &mut Vec<u8>) {
        for item in self {
            item.put(out);
        }
    }
}
