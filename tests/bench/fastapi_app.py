"""The same job as GET /api/chatbots/{id}, as it is usually written: FastAPI, asyncpg, PyJWT, under uvicorn with uvloop
and httptools (all from Debian's packages). A bar for `make bench`, not a part of the product.

environment: BENCH_SOCKET (the directory of PostgreSQL's socket), BENCH_SECRET (HS256)
"""
import os
from uuid import UUID

import asyncpg
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException

SECRET = os.environ["BENCH_SECRET"]
QUERY = """
SELECT c.id, c.name, c.description, c.settings, c.owner_id, c.created_at, c.updated_at,
       ARRAY(SELECT d.document_id FROM chatbots.chatbot_document d
             WHERE d.owner_id = c.owner_id AND d.chatbot_id = c.id ORDER BY d.position) AS documents
FROM chatbots.chatbot c WHERE c.owner_id = $1 AND c.id = $2
"""
app = FastAPI()


@app.on_event("startup")
async def start():
    async def prepare(connection):
        import json
        await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    app.state.pool = await asyncpg.create_pool(host=os.environ["BENCH_SOCKET"], user="parley_admin", database="parley",
                                               min_size=8, max_size=8, init=prepare)


async def owner(authorization: str = Header()):
    try:
        claims = jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], issuer="parley")
    except jwt.PyJWTError:
        raise HTTPException(401, "invalid token")
    return UUID(claims["sub"])


@app.get("/api/chatbots/{chatbot_id}")
async def get_chatbot(chatbot_id: UUID, owner_id: UUID = Depends(owner)):
    async with app.state.pool.acquire() as connection:
        row = await connection.fetchrow(QUERY, owner_id, chatbot_id)
    if row is None:
        raise HTTPException(404, "no such chatbot")
    return {"id": row["id"], "name": row["name"], "description": row["description"], "settings": row["settings"],
            "documents": row["documents"], "ownerId": row["owner_id"], "createdAt": row["created_at"],
            "updatedAt": row["updated_at"]}
