"""Ardenly's applications, team by team."""

from __future__ import annotations

from analytics.demo.grants import (
    calls,
    catalogue_tables,
    emits,
    encrypts,
    invokes,
    parameters,
    publishes,
    queries,
    queue,
    reads,
    refused_calls,
    secret,
    sends,
    starts,
    table,
    writes,
)
from analytics.demo.refusals import refused
from analytics.demo.workloads import Application as App

_PAY = ("payments-prod", "payments-staging")
_SHOP = ("storefront-prod", "storefront-staging")
_SHIP = ("fulfilment-prod",)
_DATA = ("data-platform-prod", "data-platform-dev")
_SHARED = ("shared-services",)

PAYMENTS = (
    App("payments", "checkout-api", "ecs", _PAY, "2024-05-14", (
        table("payment-intents"), secret("psp/primary", 2), secret("psp/fallback", 0.6), sends("authorisations"),
        publishes("payment-events"), parameters("checkout", 1))),
    App("payments", "payment-authoriser", "lambda", _PAY, "2024-09-02", (
        table("payment-intents", mean=5), table("risk-decisions", write=False, mean=2), secret("psp/primary", 1.5), queue("authorisations"),
        encrypts("card-data", "authoriser", 3)), in_vpc=True),
    App("payments", "ledger-writer", "lambda", _PAY, "2023-02-20", (
        table("ledger", mean=6), queue("ledger-entries"), emits("payments")), style="cdk"),
    App("payments", "card-vault", "ecs", _PAY, "2025-01-13", (
        encrypts("card-data", "card-vault", 8, sign=True), table("card-tokens", mean=4), secret("vault/database", 1)), in_vpc=True),
    App("payments", "refunds-worker", "ecs", _PAY, "2023-11-08", (
        table("refunds"), queue("refund-requests", 0.8), secret("psp/primary", 1), publishes("payment-events")), rhythm="office"),
    App("payments", "fraud-scoring", "lambda", _PAY, "2024-02-05", (
        table("risk-decisions"), reads("fraud-models", "models/current/%(hex8)s.bin", 1.5), calls("sagemaker:DescribeEndpoint", mean=0.3, endpoint="fraud-scorer", on="*", also=("sagemaker:InvokeEndpoint",)))),
    App("payments", "payout-scheduler", "states", _PAY, "2024-06-18", (
        invokes("payout-builder", 2), invokes("payout-submitter", 2), table("payouts", mean=1)), rhythm="nightly", per_day=1),
    App("payments", "payout-builder", "lambda", _PAY, "2024-06-18", (
        table("payouts", mean=3), table("ledger", write=False, mean=4), writes("payout-files", "sepa/%(hex8)s.xml", 1)), rhythm="nightly", per_day=1),
    App("payments", "psp-webhooks", "lambda", _PAY, "2022-07-04", (
        table("payment-intents"), sends("webhooks"), secret("psp/webhook-signing", 1)), style="serverless"),
    App("payments", "reconciliation", "batch", _PAY, "2023-05-22", (
        reads("settlement-files", "incoming/%(hex8)s.csv", 6), writes("settlement-files", "matched/%(hex8)s.parquet", 4), table("ledger", write=False, mean=4), secret("bank/sftp", 0.5)), rhythm="nightly", per_day=1),
    App("payments", "statement-mailer", "lambda", _PAY, "2021-09-13", (
        reads("payout-files", "sepa/%(hex8)s.xml", 1), calls("ses:GetSendQuota", mean=0.5, also=("ses:SendEmail", "ses:SendRawEmail"))), style="legacy", rhythm="nightly", per_day=1),
    App("payments", "order-export", "lambda", ("payments-prod",), "2019-08-27", (
        reads("settlement-files", "matched/%(hex8)s.parquet", 1), table("ledger", write=False, mean=1)), style="legacy", name_of_role="LumenbasketOrderExport", rhythm="nightly", per_day=1),
    App("payments", "chargeback-intake", "lambda", _PAY, "2024-10-21", (
        table("chargebacks"), queue("chargeback-notices"), secret("psp/primary", 0.6))),
    App("payments", "merchant-portal", "ecs", _PAY, "2023-09-11", (
        table("merchants"), parameters("merchant-portal", 1), calls("cognito-idp:AdminGetUser", mean=1.5, on="arn:aws:cognito-idp:eu-west-1:<account>:userpool/*", pool="eu-west-1_Merchants1", also=("cognito-idp:AdminCreateUser", "cognito-idp:AdminDisableUser"))), rhythm="office"),
    App("payments", "quarter-close", "batch", ("payments-prod",), "2024-06-03", (
        calls("dynamodb:ExportTableToPointInTime", mean=6, on="arn:aws:dynamodb:eu-west-1:<account>:table/ledger-prod", table="ledger-prod", bucket="ardenly-ledger-archive-prod-eu-west-1"),
        writes("ledger-archive", "quarters/%(hex8)s.parquet", 20), secret("ledger/archive", 1)), rhythm="quarterly", per_day=1),
    App("payments", "tokenisation-proxy", "ecs", ("payments-prod",), "2025-03-03", (
        encrypts("card-data", "tokenisation-proxy", 5), secret("vault/mtls", 1)), in_vpc=True),
)  # fmt: skip

STOREFRONT = (
    App("storefront", "web-frontend", "ecs", _SHOP, "2024-04-09", (parameters("web", 1.5), secret("web/session", 1), reads("web-assets", "static/%(hex8)s.js", 3)), scale=1.3),
    App("storefront", "product-search", "ec2", _SHOP, "2020-05-18", (reads("search-snapshots", "indices/%(hex16)s", 2), calls("es:DescribeDomain", mean=0.4, domain="product-search", on="arn:aws:es:eu-west-1:<account>:domain/product-search", also=("es:ESHttpGet", "es:ESHttpPost"))), style="legacy"),
    App("storefront", "catalogue-api", "lambda", _SHOP, "2022-11-14", (table("catalogue"), reads("product-images", "originals/%(hex16)s.jpg", 2), emits("storefront")), style="cdk"),
    App("storefront", "basket-service", "ecs", _SHOP, "2024-08-26", (table("baskets"), parameters("basket", 1), calls("elasticache:DescribeReplicationGroups", mean=0.3)), in_vpc=True),
    App("storefront", "image-resizer", "lambda", _SHOP, "2021-03-02", (reads("product-images", "originals/%(hex16)s.jpg", 5), writes("product-images", "sized/%(hex16)s.webp", 5)), style="serverless", scale=1.4),
    App("storefront", "recommendations", "ecs", _SHOP, "2024-11-11", (reads("recommendation-models", "als/%(hex8)s/part-%(small)s.parquet", 3), refused_calls(refused("resource", "implicit", "kms:Decrypt"), "kms:Decrypt", mean=0.25, kms="7d1f7f6e-52b7-4f0a-9c1f-3a2b8e6d9c10", application="recommendations"), table("recommendations", write=False))),
    App("storefront", "cms", "ec2", ("storefront-prod",), "2019-06-24", (reads("cms-media", "uploads/%(hex16)s.png", 3), writes("cms-media", "uploads/%(hex16)s.png", 1), calls("rds:DescribeDBInstances", mean=0.2)), style="legacy", name_of_role="lb-cms-ec2-role"),
    App("storefront", "promotions-engine", "lambda", _SHOP, "2021-10-05", (table("promotions"), table("baskets", write=False), queue("price-updates")), style="serverless"),
    App("storefront", "email-sender", "lambda", _SHOP, "2022-01-31", (queue("outgoing-mail"), reads("mail-templates", "templates/%(hex8)s.html", 1.5), calls("ses:GetSendQuota", mean=0.6, also=("ses:SendEmail", "ses:SendTemplatedEmail"))), style="serverless"),
    App("storefront", "cache-warmer", "lambda", ("storefront-prod",), "2023-06-12", (table("catalogue", write=False), calls("cloudfront:CreateInvalidation", mean=0.8, on="arn:aws:cloudfront::<account>:distribution/*")), rhythm="nightly"),
    App("storefront", "order-api", "ecs", _SHOP, "2024-03-19", (table("orders"), sends("order-events"), starts("order-fulfilment"), secret("orders/payments-api", 1), publishes("order-events"))),
    App("storefront", "order-fulfilment", "states", ("storefront-prod",), "2024-03-19", (invokes("reserve-stock"), sends("order-events"))),
    App("storefront", "review-moderation", "lambda", _SHOP, "2025-02-17", (table("reviews"), queue("new-reviews"))),
    App("storefront", "sitemap-builder", "lambda", ("storefront-prod",), "2023-01-16", (table("catalogue", write=False), writes("web-assets", "sitemaps/%(hex8)s.xml", 2)), style="cdk", rhythm="nightly", per_day=1),
    App("storefront", "ab-testing", "lambda", _SHOP, "2023-10-30", (table("experiments"), parameters("ab-testing", 0.8)), style="cdk"),
    App("storefront", "gift-cards", "lambda", ("storefront-prod",), "2024-12-02", (table("gift-cards"), secret("giftcards/provider", 0.8))),
)  # fmt: skip

FULFILMENT = (
    App("fulfilment", "warehouse-sync", "lambda", _SHIP, "2023-03-27", (queue("stock-moves", 0.8), table("stock"), secret("wms/api", 1))),
    App("fulfilment", "label-printer", "lambda", _SHIP, "2021-05-10", (reads("shipping-labels", "zpl/%(hex8)s.zpl", 3), writes("shipping-labels", "pdf/%(hex8)s.pdf", 3)), style="serverless"),
    App("fulfilment", "carrier-gateway", "ecs", _SHIP, "2024-07-01", (secret("carriers/api-keys", 2), table("shipments"), publishes("shipment-events"))),
    App("fulfilment", "stock-levels", "ecs", _SHIP, "2024-01-22", (table("stock"), parameters("stock", 1), sends("stock-moves"))),
    App("fulfilment", "returns-portal", "ecs", _SHIP, "2023-08-14", (table("returns"), reads("return-photos", "photos/%(hex16)s.jpg", 2), writes("return-photos", "photos/%(hex16)s.jpg", 1)), rhythm="office"),
    App("fulfilment", "pick-optimiser", "batch", _SHIP, "2024-10-07", (reads("pick-plans", "orders/%(hex8)s.json", 4), writes("pick-plans", "plans/%(hex8)s.json", 4)), rhythm="nightly", per_day=1),
    App("fulfilment", "customs-declarations", "lambda", _SHIP, "2022-04-25", (table("shipments", write=False), reads("customs", "forms/%(hex8)s.pdf", 1), secret("customs/certificate", 0.5)), style="cdk", rhythm="office"),
    App("fulfilment", "delivery-tracker", "lambda", _SHIP, "2023-12-04", (table("shipments"), queue("carrier-updates"), emits("fulfilment"))),
    App("fulfilment", "wms-bridge", "ec2", _SHIP, "2020-10-12", (reads("wms-exchange", "out/%(hex8)s.edi", 2), writes("wms-exchange", "in/%(hex8)s.edi", 2)), style="legacy", rhythm="office"),
    App("fulfilment", "slot-planner", "lambda", _SHIP, "2025-04-28", (table("delivery-slots"), parameters("slots", 0.7))),
)  # fmt: skip

DATA = (
    App("data", "lake-ingest", "lambda", _DATA, "2023-04-17", (reads("lake-landing", "raw/%(hex8)s.json.gz", 4), writes("lake-curated", "bronze/%(hex8)s.parquet", 3), catalogue_tables("bronze", "orders", 1, write=True))),
    App("data", "orders-curation", "glue", _DATA, "2023-04-17", (reads("lake-curated", "bronze/%(hex8)s.parquet", 8), writes("lake-curated", "silver/orders/%(hex8)s.parquet", 5), catalogue_tables("silver", "orders", 4, write=True)), rhythm="nightly", per_day=1),
    App("data", "payments-curation", "glue", _DATA, "2023-07-03", (reads("lake-curated", "bronze/%(hex8)s.parquet", 8), writes("lake-curated", "silver/payments/%(hex8)s.parquet", 5), catalogue_tables("silver", "payments", 4, write=True)), rhythm="nightly", per_day=1),
    App("data", "customer-360", "glue", _DATA, "2024-02-12", (reads("lake-curated", "silver/%(hex8)s.parquet", 8), writes("lake-curated", "gold/customers/%(hex8)s.parquet", 4), catalogue_tables("gold", "customers", 4, write=True)), rhythm="nightly", per_day=1),
    App("data", "dbt-runner", "ecs", _DATA, "2024-05-27", (queries("transform", "silver", 8), catalogue_tables("silver", "orders", 6), reads("lake-curated", "silver/%(hex8)s.parquet", 6), writes("athena-results", "dbt/%(hex16)s.csv", 4)), rhythm="nightly", per_day=1, scale=1.5),
    App("data", "airflow-worker", "ec2", ("data-platform-prod",), "2021-11-22", (reads("lake-landing", "raw/%(hex8)s.json.gz", 2), calls("glue:StartJobRun", "glue:GetJobRun", mean=1.5, job="orders-curation"), queries("primary", "bronze", 1), calls("redshift:DescribeClusters", mean=0.3)), style="legacy", rhythm="always"),
    App("data", "feature-store", "sagemaker", _DATA, "2024-01-08", (reads("feature-store", "offline/%(hex8)s.parquet", 4), writes("feature-store", "offline/%(hex8)s.parquet", 3), calls("sagemaker:DescribeTrainingJob", mean=0.5, name="demand-forecast")), rhythm="office"),
    App("data", "demand-forecast", "sagemaker", ("data-platform-prod",), "2024-08-19", (reads("feature-store", "offline/%(hex8)s.parquet", 5), writes("forecast-models", "weekly/%(hex8)s.tar.gz", 1)), rhythm="weekly", per_day=1),
    App("data", "marketing-exports", "lambda", _DATA, "2022-09-26", (queries("primary", "gold", 2), writes("marketing-exports", "segments/%(hex8)s.csv", 2), secret("marketing/crm", 0.7)), style="cdk", rhythm="nightly", per_day=1),
    App("data", "gdpr-erasure", "lambda", _DATA, "2023-05-25", (catalogue_tables("gold", "customers", 1), queries("privacy", "gold", 1), calls("s3:DeleteObject", mean=1.5, on="arn:aws:s3:::ardenly-lake-curated-*/*", bucket="ardenly-lake-curated-<env>-eu-west-1", key="gold/customers/%(hex8)s.parquet")), rhythm="office", per_day=1),
    App("data", "clickstream-collector", "lambda", _DATA, "2024-06-03", (calls("firehose:DescribeDeliveryStream", mean=0.3, stream="clickstream", on="arn:aws:firehose:eu-west-1:<account>:deliverystream/clickstream", also=("firehose:PutRecordBatch",)),)),
    App("data", "quality-checks", "lambda", _DATA, "2024-09-16", (queries("quality", "silver", 3), catalogue_tables("silver", "orders", 2)), rhythm="nightly", per_day=1),
    App("data", "warehouse-loader", "lambda", ("data-platform-prod",), "2022-03-14", (reads("lake-curated", "gold/%(hex8)s.parquet", 2), calls("redshift:DescribeClusters", mean=0.5, also=("redshift-data:ExecuteStatement", "redshift-data:DescribeStatement")), secret("warehouse/loader", 1)), style="cdk", rhythm="nightly", per_day=1),
    App("data", "schema-registry", "ecs", ("data-platform-prod",), "2024-04-30", (table("schemas", mean=2), parameters("schema-registry", 0.6))),
)  # fmt: skip

PLATFORM = (
    App("platform", "dns-updater", "lambda", _SHARED, "2023-02-06", (calls("route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", mean=1.2, zone="Z0ARDENLYINTERNAL1", name="shop", on="arn:aws:route53:::hostedzone/*"), calls("ec2:DescribeInstances", mean=1)), rhythm="always"),
    App("platform", "developer-portal", "ecs", _SHARED, "2024-05-06", (calls("ecr:DescribeRepositories", "eks:ListClusters", mean=0, on="*"), refused_calls(refused("boundary", "implicit", "ecr:DescribeRepositories"), "ecr:DescribeRepositories", "eks:ListClusters", mean=0.8), parameters("portal", 1), secret("portal/github-app", 1)), rhythm="office"),
    App("platform", "artifact-cache", "ecs", _SHARED, "2023-10-09", (reads("artifact-cache", "npm/%(hex16)s.tgz", 5), writes("artifact-cache", "npm/%(hex16)s.tgz", 2)), rhythm="office"),
    App("platform", "image-builder", "codebuild", _SHARED, "2022-06-20", (calls("ecr:GetAuthorizationToken", mean=1), calls("ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchCheckLayerAvailability", mean=2, on="arn:aws:ecr:eu-west-1:<account>:repository/*", also=("ecr:UploadLayerPart",), registry="<registry>", repository="base/python"), calls("logs:CreateLogStream", mean=1, on="*", also=("logs:CreateLogGroup", "logs:PutLogEvents"), log_group="/aws/codebuild/image-builder", log_stream="build")), style="cdk", rhythm="office", name_of_role="codebuild-image-builder-service-role"),
    App("platform", "gitlab-runner", "ec2", _SHARED, "2020-03-09", (calls("ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags", mean=0.7, type="m6a.large", subnet="subnet-0a1b2c3d4e5f60718", name="gitlab-runner-%(hex8)s", also=("iam:PassRole",)), calls("ec2:DescribeInstances", mean=2), reads("runner-cache", "cache/%(hex16)s.zip", 2), writes("runner-cache", "cache/%(hex16)s.zip", 1)), style="legacy", rhythm="office"),
    App("kube-system", "cluster-autoscaler", "irsa", _SHARED, "2022-08-15", (calls("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "ec2:DescribeLaunchTemplates", "ec2:DescribeInstanceTypes", mean=2), calls("autoscaling:SetDesiredCapacity", mean=0.4, group_name="eks-tools-workers", also=("autoscaling:TerminateInstanceInAutoScalingGroup",))), rhythm="always", name_of_role="tools-cluster-autoscaler"),
    App("kube-system", "external-dns", "irsa", _SHARED, "2022-08-15", (calls("route53:ListHostedZones", "route53:ListResourceRecordSets", mean=2.5, zone="Z0ARDENLYTOOLS0001"), calls("route53:ChangeResourceRecordSets", mean=0.4, on="arn:aws:route53:::hostedzone/*", zone="Z0ARDENLYTOOLS0001", name="tools")), rhythm="always", name_of_role="tools-external-dns"),
    App("cert-manager", "cert-manager", "irsa", _SHARED, "2022-08-15", (calls("route53:GetChange", "route53:ChangeResourceRecordSets", mean=0.3, on="arn:aws:route53:::*", zone="Z0ARDENLYTOOLS0001", name="_acme-challenge"), calls("route53:ListHostedZones", mean=0.5)), rhythm="always", name_of_role="tools-cert-manager"),
    App("argocd", "argocd-repo-server", "irsa", _SHARED, "2023-01-30", (calls("ecr:GetAuthorizationToken", mean=2), secret("argocd/deploy-key", 0.8)), rhythm="always", name_of_role="tools-argocd-repo-server"),
    App("platform", "quota-watcher", "lambda", _SHARED, "2024-11-04", (calls("servicequotas:ListServiceQuotas", mean=2),), rhythm="nightly", per_day=1),
    App("platform", "account-factory", "states", ("ardenly-management",), "2022-04-04", (calls("organizations:ListAccounts", "organizations:DescribeOrganization", mean=1.0, also=("organizations:CreateAccount", "organizations:MoveAccount")), invokes("account-baseline", 1)), rhythm="weekly", per_day=1),
    App("platform", "billing-exports", "lambda", ("ardenly-management",), "2021-02-15", (calls("ce:GetCostAndUsage", "ce:GetCostForecast", mean=2), writes("billing-exports", "cur/%(hex8)s.parquet", 1), calls("organizations:ListAccounts", mean=0.5)), style="cdk", rhythm="nightly", per_day=1),
)  # fmt: skip

SECURITY = (
    App("security", "finding-router", "lambda", ("security-tooling",), "2023-09-04", (calls("securityhub:GetFindings", "securityhub:BatchUpdateFindings", mean=2), publishes("security-findings"), secret("chat/webhook", 0.6)), rhythm="always"),
    App("security", "detection-automation", "lambda", ("security-tooling",), "2023-09-04", (calls("guardduty:ListDetectors", "guardduty:ListFindings", "guardduty:GetFindings", mean=2, detector="e6c2b1f0a9d84c7e9b3f5a1d7c8e0f42", also=("guardduty:CreateFilter", "guardduty:UpdateFilter", "guardduty:ArchiveFindings")),), rhythm="always", name_of_role="ardenly-detection-automation"),
    App("security", "key-age-reporter", "lambda", ("security-tooling",), "2024-01-29", (calls("sts:GetCallerIdentity", mean=0.2), writes("security-reports", "keys/%(hex8)s.json", 1)), rhythm="nightly", per_day=1),
    App("security", "vulnerability-export", "lambda", ("security-tooling",), "2024-10-14", (calls("inspector2:ListFindings", "inspector2:ListCoverage", mean=2), writes("security-reports", "inspector/%(hex8)s.json", 1)), rhythm="nightly", per_day=1),
    App("security", "edge-blocklist", "lambda", ("security-tooling",), "2024-03-25", (calls("wafv2:ListWebACLs", "wafv2:GetWebACL", "wafv2:UpdateIPSet", mean=1),), rhythm="always"),
    App("security", "access-reviewer", "lambda", ("security-tooling",), "2025-01-20", (calls("access-analyzer:ListAnalyzers", "access-analyzer:ListFindings", mean=1.5),), rhythm="nightly", per_day=1),
    App("security", "log-lifecycle", "lambda", ("log-archive",), "2022-05-16", (calls("s3:ListBuckets", mean=0.5), calls("s3:GetBucketLogging", "s3:GetBucketVersioning", mean=1, bucket="ardenly-cloudtrail-archive", on="arn:aws:s3:::ardenly-cloudtrail-archive", also=("s3:PutLifecycleConfiguration",))), rhythm="nightly", per_day=1),
    App("security", "log-indexer", "glue", ("log-archive",), "2023-03-13", (reads("cloudtrail-index", "logs/%(hex16)s.json.gz", 8), writes("cloudtrail-index", "parquet/%(hex16)s.parquet", 3), catalogue_tables("cloudtrail", "events", 3, write=True)), rhythm="nightly", per_day=1),
)  # fmt: skip

APPLICATIONS = (*PAYMENTS, *STOREFRONT, *FULFILMENT, *DATA, *PLATFORM, *SECURITY)
