"""Endpoint of reader checks: name a cell. It answers nothing that the caller didn't say."""

import uuid

from rest_framework.response import Response

from classifier.api.reference_counts import MarkSerializer
from classifier.api.reviews import MemberRequest, ReviewStep
from quality.selectors.reader_checks import answers_of, cells_to_read, get_own
from quality.services.reader_checks import name_cell


class NameCell(ReviewStep):
    """Naming a cell of one's own check."""

    def post(self, request: MemberRequest, pk: uuid.UUID) -> Response:
        """Store the class; answer how many cells have one."""
        form = MarkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        check = get_own(request.user, pk)
        stored = name_cell(check_id=check.pk, actor=request.user, **form.validated_data)
        return Response(
            {
                "position": form.validated_data["position"],
                "cell_type": stored.cell_type,
                "done": len(answers_of(check)),
                "total": cells_to_read(check).count(),
            }
        )
