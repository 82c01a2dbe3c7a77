-- The nearest of an owner who has so many vectors that there is an index of them (store_hnsw.h makes it); nothing where
-- there is none. An index of one owner's vectors of one dimension is used only by a statement that has both as literals:
-- made here, so that what services prepare stays one statement.
CREATE FUNCTION nearest_indexed(owner uuid, dims int, question text, most int, documents uuid[])
RETURNS TABLE (document_id uuid, number int, cosine double precision) LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_index WHERE indisvalid
                 AND indexrelid = to_regclass('vectors_' || replace(owner::text, '-', '') || '_' || dims)) THEN
    RETURN;
  END IF;
  -- Goes on until there are enough that pass the filter.
  PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '100', true);
  RETURN QUERY EXECUTE format(
    'SELECT document_id, number, -(vector::halfvec(%1$s) <#> %2$L::halfvec(%1$s)) AS cosine FROM embedding'
    ' WHERE owner_id = %3$L AND vector_dims(vector) = %1$s' ||
    CASE WHEN documents IS NULL THEN '' ELSE ' AND document_id = ANY($1)' END ||
    ' ORDER BY vector::halfvec(%1$s) <#> %2$L::halfvec(%1$s) LIMIT %4$s', dims, question, owner, most) USING documents;
END $$;
