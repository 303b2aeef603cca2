"""Errors as AWS words them: refusals of every layer, throttling, and answers that something does not exist.

Forms: IAM User Guide, "Troubleshoot access denied error messages"; EC2 adds an encoded message, older services say less.
"""

from __future__ import annotations

from analytics.demo.model import DAYS, Refusal

_ACTION = "User: %(user)s is not authorized to perform: %(action)s"
_USER = f"{_ACTION} on resource: %(resource)s"
_REASONS = {
    ("identity", "implicit"): "because no identity-based policy allows the %(action)s action",
    ("identity", "explicit"): "with an explicit deny in an identity-based policy",
    ("boundary", "implicit"): "because no permissions boundary allows the %(action)s action",
    ("boundary", "explicit"): "with an explicit deny in a permissions boundary",
    ("scp", "implicit"): "because no service control policy allows the %(action)s action",
    ("scp", "explicit"): "with an explicit deny in a service control policy",
    ("rcp", "explicit"): "with an explicit deny in a resource control policy",
    ("resource", "implicit"): "because no resource-based policy allows the %(action)s action",
    ("resource", "explicit"): "with an explicit deny in a resource-based policy",
    ("session", "implicit"): "because no session policy allows the %(action)s action",
    ("endpoint", "implicit"): "because no VPC endpoint policy allows the %(action)s action",
    ("endpoint", "explicit"): "with an explicit deny in a VPC endpoint policy",
    ("trust", "implicit"): "because no role trust policy allows the %(action)s action",
}
_EXCEPTION = {"lambda", "ecs", "eks", "logs", "organizations", "guardduty", "athena", "glue", "dynamodb", "sso", "config", "ecr"}  # fmt: skip


def refused(layer: str, kind: str, call: str, share: float = 1.0, first: int = 0, last: int = DAYS) -> Refusal:
    """A refusal of a call by a layer, in the form that its service uses; EC2 names no resource where it only reads."""
    service, _, action = call.partition(":")
    reading = action.startswith("Describe")
    reason = _REASONS[layer, kind]
    if service == "ec2" and reading:
        return Refusal(
            "Client.UnauthorizedOperation",
            f"You are not authorized to perform this operation. {_ACTION} {reason}",
            share,
            first,
            last,
        )
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {_USER} {reason}. Encoded authorization failure message: %(encoded)s"
        return Refusal("Client.UnauthorizedOperation", message, share, first, last)
    code = "AccessDeniedException" if service in _EXCEPTION else "AccessDenied"
    return Refusal(code, f"{_USER} {reason}", share, first, last)


def bare(code: str = "AccessDenied", message: str = "Access Denied", share: float = 1.0) -> Refusal:
    """A refusal without a reason, as older services give it."""
    return Refusal(code, message, share)


ENCODED_ONLY = Refusal(
    "Client.UnauthorizedOperation",
    "You are not authorized to perform this operation. Encoded authorization failure message: %(encoded)s",
)
WITHOUT_REASON = Refusal("AccessDenied", _USER)
WITHOUT_RESOURCE = Refusal("AccessDenied", _ACTION)

# What goes wrong in daily work, by call: none of it is a refusal.
ORDINARY = {
    "s3:GetObject": Refusal("NoSuchKey", "The specified key does not exist.", 0.006),
    "s3:HeadObject": Refusal("NoSuchKey", "The specified key does not exist.", 0.05),
    "s3:GetBucketPolicy": Refusal("NoSuchBucketPolicy", "The bucket policy does not exist", 0.18),
    "s3:GetBucketTagging": Refusal("NoSuchTagSet", "The TagSet does not exist", 0.1),
    "s3:GetBucketEncryption": Refusal("ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found", 0.02),
    "s3:GetBucketPublicAccessBlock": Refusal("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 0.06),
    "iam:GetRole": Refusal("NoSuchEntityException", "The role with name terraform-managed cannot be found.", 0.02),
    "iam:GetPolicy": Refusal("NoSuchEntityException", "Policy not found.", 0.02),
    "cloudformation:DescribeStacks": Refusal("ValidationException", "Stack with id preview does not exist", 0.03),
    "cloudformation:ExecuteChangeSet": Refusal("ChangeSetNotFoundException", "ChangeSet [cdk-deploy-change-set] does not exist", 0.03),
    "ecs:DescribeServices": Refusal("ThrottlingException", "Rate exceeded", 0.004),
    "ecs:DescribeTasks": Refusal("ClusterNotFoundException", "Cluster not found.", 0.01),
    "ec2:DescribeInstances": Refusal("Client.RequestLimitExceeded", "Request limit exceeded.", 0.004),
    "ec2:DescribeNetworkInterfaces": Refusal("Client.RequestLimitExceeded", "Request limit exceeded.", 0.01),
    "ec2:DeleteNetworkInterface": Refusal("Client.InvalidParameterValue", "Network interface is currently in use.", 0.05),
    "ec2:RunInstances": Refusal("Server.InsufficientInstanceCapacity", "We currently do not have sufficient capacity in the Availability Zone you requested.", 0.02),
    "autoscaling:DescribeAutoScalingGroups": Refusal("ThrottlingException", "Rate exceeded", 0.006),
    "logs:CreateLogStream": Refusal("ResourceAlreadyExistsException", "The specified log stream already exists", 0.012),
    "logs:StartQuery": Refusal("LimitExceededException", "Account maximum query concurrency limit of [30] reached.", 0.004),
    "logs:GetQueryResults": Refusal("ThrottlingException", "Rate exceeded", 0.01),
    "logs:FilterLogEvents": Refusal("ResourceNotFoundException", "The specified log group does not exist.", 0.02),
    "dynamodb:PutItem": Refusal("ConditionalCheckFailedException", "The conditional request failed", 0.015),
    "dynamodb:UpdateItem": Refusal("ConditionalCheckFailedException", "The conditional request failed", 0.02),
    "dynamodb:DescribeTable": Refusal("ResourceNotFoundException", "Requested resource not found: Table: orders-archive not found", 0.03),
    "ssm:GetParameter": Refusal("ParameterNotFound", "", 0.01),
    "secretsmanager:GetSecretValue": Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", 0.003),
    "athena:StartQueryExecution": Refusal("InvalidRequestException", "line 4:12: Column 'order_ref' cannot be resolved", 0.03),
    "glue:GetTable": Refusal("EntityNotFoundException", "Entity Not Found", 0.015),
    "lambda:GetFunction": Refusal("ResourceNotFoundException", "Function not found", 0.02),
    "lambda:UpdateFunctionCode": Refusal("ResourceConflictException", "The operation cannot be performed at this time. An update is in progress.", 0.03),
    "ecr:BatchGetImage": Refusal("ImageNotFoundException", "The image with imageId does not exist within the repository", 0.02),
    "kms:Decrypt": Refusal("InvalidCiphertextException", "", 0.002),
    "route53:ChangeResourceRecordSets": Refusal("InvalidChangeBatchException", "Tried to create resource record set but it already exists", 0.02),
    "cloudwatch:DescribeAlarms": Refusal("ThrottlingException", "Rate exceeded", 0.003),
}  # fmt: skip

# The resource as a message names it, where the record lists none; "*" for the others.
NAMED = {
    "cloudformation:DescribeStacks": "arn:aws:cloudformation:%(region)s:%(account)s:stack/%(stack)s/*",
    "cognito-idp:AdminDisableUser": "arn:aws:cognito-idp:%(region)s:%(account)s:userpool/%(pool)s",
    "config:PutConfigRule": "arn:aws:config:%(region)s:%(account)s:config-rule/*",
    "ecs:DescribeServices": "arn:aws:ecs:%(region)s:%(account)s:service/%(cluster)s/%(service)s",
    "ecs:ExecuteCommand": "arn:aws:ecs:%(region)s:%(account)s:cluster/%(cluster)s",
    "ecs:UpdateService": "arn:aws:ecs:%(region)s:%(account)s:service/%(cluster)s/%(service)s",
    "ec2:RunInstances": "arn:aws:ec2:%(region)s:%(account)s:instance/*",
    "ec2:TerminateInstances": "arn:aws:ec2:%(region)s:%(account)s:instance/i-0%(hex16)s",
    "glue:StartJobRun": "arn:aws:glue:%(region)s:%(account)s:job/%(job)s",
    "guardduty:CreateFilter": "arn:aws:guardduty:%(region)s:%(account)s:detector/%(detector)s",
    "guardduty:UpdateDetector": "arn:aws:guardduty:%(region)s:%(account)s:detector/%(detector)s",
    "iam:AttachUserPolicy": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:CreateAccessKey": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:CreateUser": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:GetUser": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:ListAttachedUserPolicies": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:ListRoles": "arn:aws:iam::%(account)s:role/",
    "iam:ListUserPolicies": "arn:aws:iam::%(account)s:user/%(user_name)s",
    "iam:ListUsers": "arn:aws:iam::%(account)s:user/",
    "iam:PutRolePolicy": "arn:aws:iam::%(account)s:role/%(role_name)s",
    "lambda:CreateFunction": "arn:aws:lambda:%(region)s:%(account)s:function:%(function)s",
    "lambda:UpdateFunctionConfiguration": "arn:aws:lambda:%(region)s:%(account)s:function:%(function)s",
    "logs:FilterLogEvents": "arn:aws:logs:%(region)s:%(account)s:log-group:%(log_group)s:log-stream:",
    "organizations:DescribePolicy": "arn:aws:organizations::%(account)s:policy/o-*/service_control_policy/%(scp)s",
    "rds:DeleteDBSnapshot": "arn:aws:rds:%(region)s:%(account)s:snapshot:%(db)s-%(hex8)s",
    "redshift:GetClusterCredentials": "arn:aws:redshift:%(region)s:%(account)s:dbuser:ardenly-warehouse/%(label)s",
    "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:%(region)s:%(account)s:secret:%(secret)s",
    "ssm:StartSession": "arn:aws:ec2:%(region)s:%(account)s:instance/%(instance)s",
}
