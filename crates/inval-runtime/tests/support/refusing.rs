//! The operations of a store that no test of the manager uses, all refused.

macro_rules! refuse_operations {
    ($error:ident) => {
        async fn get(&self, _: &Key) -> Result<Option<Bytes>, $error> {
            Err($error)
        }

        async fn get_many(&self, _: &[Key]) -> Result<Vec<Option<Bytes>>, $error> {
            Err($error)
        }

        async fn put(&self, _: &Key, _: Bytes, _: PutOptions) -> Result<Put, $error> {
            Err($error)
        }

        async fn put_many(
            &self,
            _: &[(Key, Bytes)],
            _: Option<Duration>,
        ) -> Result<Vec<Put>, $error> {
            Err($error)
        }

        async fn invalidate(&self, _: &[Key]) -> Result<u64, $error> {
            Err($error)
        }

        async fn contains(&self, _: &Key) -> Result<bool, $error> {
            Err($error)
        }

        async fn lifetime(&self, _: &Key) -> Result<Lifetime, $error> {
            Err($error)
        }

        async fn inspect(&self, _: &Key) -> Result<Option<EntryInfo>, $error> {
            Err($error)
        }

        async fn clear(&self) -> Result<(), $error> {
            Err($error)
        }
    };
}

pub(crate) use refuse_operations;
