"""Routes of the classifier app."""

from django.urls import URLPattern, path

from classifier.api import images as images_api
from classifier.api import reviews as reviews_api
from classifier.views import cases, images, labels, patients, review, search, worklist

app_name = "classifier"
urlpatterns: list[URLPattern] = [
    path("", worklist.worklist, name="worklist"),
    path("search/", search.search, name="search"),
    path("patients/", patients.index, name="patients"),
    path("patients/new/", patients.register, name="patient_register"),
    path("patients/<uuid:pk>/", patients.detail, name="patient_detail"),
    path("patients/<uuid:patient_pk>/cases/new/", cases.new, name="case_new"),
    path("cases/<uuid:pk>/", cases.detail, name="case_detail"),
    path("cases/<uuid:pk>/status/", cases.status, name="case_status"),
    path("cases/<uuid:pk>/submit/", cases.submit, name="case_submit"),
    path("cases/<uuid:pk>/retry/", cases.retry, name="case_retry"),
    path("cases/<uuid:pk>/reason/<str:name>/", cases.move_with_reason, name="case_reason"),
    path("cases/<uuid:pk>/label/", labels.label, name="case_label"),
    path("cases/<uuid:pk>/label/barcode.svg", labels.barcode, name="case_barcode"),
    path("cases/<uuid:pk>/images/", images.panel, name="case_images"),
    path("cases/<uuid:pk>/images/add/", images.add, name="case_images_add"),
    path("images/<uuid:pk>/", images.full, name="image"),
    path("images/<uuid:pk>/thumbnail/", images.thumbnail, name="thumbnail"),
    path("images/<uuid:pk>/remove/", images.remove, name="image_remove"),
    path("images/<uuid:pk>/kind/", images.change_kind, name="image_kind"),
    path("api/cases/<uuid:pk>/images/", images_api.CaseImages.as_view(), name="case_images_upload"),
    path("cases/<uuid:pk>/review/", review.show, name="review"),
    path("cases/<uuid:pk>/review/summary/", review.summary, name="review_summary"),
    path("cases/<uuid:pk>/review/open/", review.open_case, name="review_open"),
    path("cases/<uuid:pk>/review/name/", review.name_cells, name="review_name"),
    path("cases/<uuid:pk>/review/accept/", review.accept_cells, name="review_accept"),
    path("cases/<uuid:pk>/review/undo/", review.undo, name="review_undo"),
    path("cases/<uuid:pk>/review/comment/", review.comment, name="review_comment"),
    path("cases/<uuid:pk>/review/release/", review.release, name="review_release"),
    path("cases/<uuid:pk>/review/return/", review.return_case, name="review_return"),
    path("cases/<uuid:pk>/review/reject/", review.reject, name="review_reject"),
    path("cases/<uuid:pk>/review/withdraw/", review.withdraw, name="review_withdraw"),
    path(
        "api/cases/<uuid:pk>/corrections/",
        reviews_api.CorrectCells.as_view(),
        name="review_corrections",
    ),
    path(
        "api/cases/<uuid:pk>/acceptances/",
        reviews_api.AcceptCells.as_view(),
        name="review_acceptances",
    ),
    path("api/cases/<uuid:pk>/undo/", reviews_api.UndoStep.as_view(), name="review_undo_step"),
    path("api/cases/<uuid:pk>/comment/", reviews_api.Comment.as_view(), name="review_comment_text"),
]
