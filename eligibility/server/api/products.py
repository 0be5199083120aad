"""Routes for products: /v1/publishers/{publisher}/products."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict

from eligibility.callers.model import Scope
from eligibility.catalog.catalog import Catalog
from eligibility.catalog.model import Product
from eligibility.catalog.store import CatalogEntry
from eligibility.errors import UnknownProduct
from eligibility.server.http.authorization import CatalogWriter, needs
from eligibility.server.http.parameters import (
    Cursor,
    IfMatch,
    Limit,
    Publisher,
    RevisionCursor,
    expected_of,
    tag,
)
from eligibility.server.http.strict_route import StrictRoute
from groups.model import Page

ProductId = Annotated[str, Path(description="Store id of the product.", examples=["9NBLGGH4R315"])]


class ProductResponse(BaseModel):
    """A product, and the catalogue revision of its last change."""

    model_config = ConfigDict(from_attributes=True)

    publisher: str
    product_id: str
    revision: int
    updated_at: datetime
    product: Product


class ProductPage(BaseModel):
    """A page of products, ordered by id. next_cursor: null on the last page."""

    items: list[ProductResponse]
    next_cursor: str | None


class ProductVersionResponse(BaseModel):
    """A version of a product: who declared it and when. product: null if the write deleted it."""

    model_config = ConfigDict(from_attributes=True)

    revision: int
    at: datetime
    actor: str
    product: Product | None


class ProductHistoryPage(BaseModel):
    """A page of a product's versions, newest first. next_cursor: null on the last page."""

    model_config = ConfigDict(from_attributes=True)

    items: list[ProductVersionResponse]
    next_cursor: str | None


class CatalogWriteResponse(BaseModel):
    """The publisher's catalogue revision after the write."""

    publisher: str
    product_id: str
    revision: int


def router(catalog: Catalog) -> APIRouter:
    """Build the routes for a catalogue."""
    routes = APIRouter(
        prefix="/v1/publishers/{publisher}/products", tags=["products"], route_class=StrictRoute
    )

    @routes.get("", dependencies=[needs(Scope.READ_CATALOG)])
    def list_products(
        publisher: Publisher, cursor: Cursor = None, limit: Limit = 100
    ) -> ProductPage:
        """List a publisher's products by id."""
        page: Page[CatalogEntry] = catalog.store.list_products(
            publisher, cursor=cursor, limit=limit
        )
        items = [ProductResponse.model_validate(entry) for entry in page.items]
        return ProductPage(items=items, next_cursor=page.next_cursor)

    @routes.get("/{product_id}", dependencies=[needs(Scope.READ_CATALOG)])
    def show_product(
        publisher: Publisher, product_id: ProductId, response: Response
    ) -> ProductResponse:
        """Show a product as it was declared. The ETag is its revision."""
        result = catalog.store.get(product_id)
        if result is None or result[0].publisher != publisher:
            raise UnknownProduct(product_id)
        entry = result[0]
        tag(response, entry.revision)
        return ProductResponse.model_validate(entry)

    @routes.put("/{product_id}")
    def put_product(
        publisher: Publisher,
        product_id: ProductId,
        body: Product,
        response: Response,
        by: CatalogWriter,
        if_match: IfMatch = None,
    ) -> CatalogWriteResponse:
        """Create or replace a product: its audience, its flights from the highest rank down, its packages."""
        expected = expected_of(if_match)
        revision = catalog.put(
            publisher, product_id, body, actor=by.actor, if_product_revision=expected
        )
        tag(response, revision)
        return CatalogWriteResponse(publisher=publisher, product_id=product_id, revision=revision)

    @routes.delete("/{product_id}")
    def delete_product(
        publisher: Publisher, product_id: ProductId, by: CatalogWriter, if_match: IfMatch = None
    ) -> CatalogWriteResponse:
        """Delete a product; its history stays."""
        expected = expected_of(if_match)
        revision = catalog.delete(
            publisher, product_id, actor=by.actor, if_product_revision=expected
        )
        return CatalogWriteResponse(publisher=publisher, product_id=product_id, revision=revision)

    _add_history(routes, catalog)
    return routes


def _add_history(routes: APIRouter, catalog: Catalog) -> None:
    @routes.get("/{product_id}/history", dependencies=[needs(Scope.READ_CATALOG)])
    def show_product_history(
        publisher: Publisher,
        product_id: ProductId,
        cursor: RevisionCursor = None,
        limit: Limit = 100,
    ) -> ProductHistoryPage:
        """List who declared, changed or deleted a product, and when, newest first."""
        if catalog.store.owner(product_id) != publisher:
            raise UnknownProduct(product_id)
        page = catalog.store.history(product_id, cursor=cursor, limit=limit)
        return ProductHistoryPage.model_validate(page)
