import pytest
from transcribing import transcribe


@pytest.fixture(scope="module")
def ask(client, request):
    """GET what a module is about, its ROUTE, of the sample."""
    result_id = transcribe(client).json()["id"]

    def get(headers=None, **query):
        query = {"id": result_id, **query}
        return client.get(request.module.ROUTE, params=query, headers=headers)

    return get
