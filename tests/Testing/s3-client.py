# Runs calls of boto3 in the order given, or many at once, and prints their results as JSON.
# Standard input: {"endpoint", "accessKey", "secretKey", "threads", "calls": [{"name", "arguments"}]}. A Body is in Base64.
import base64, concurrent.futures, json, sys
import boto3
import botocore.config
import botocore.exceptions

request = json.load(sys.stdin)
# Clients of boto3 can be used by several threads.
client = boto3.client(
    "s3",
    endpoint_url=request["endpoint"],
    region_name="us-east-1",
    aws_access_key_id=request["accessKey"],
    aws_secret_access_key=request["secretKey"],
    config=botocore.config.Config(
        s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 2}, parameter_validation=False, max_pool_connections=request["threads"]
    ),
)


def call(one):
    arguments = dict(one["arguments"])
    if "Body" in arguments:
        arguments["Body"] = base64.b64decode(arguments["Body"])
    try:
        result = getattr(client, one["name"])(**arguments)
    except botocore.exceptions.ClientError as error:
        return {"Error": error.response["Error"].get("Code", ""), "Status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    return {name: value for name, value in result.items() if name not in ("ResponseMetadata", "Body")}


if request["threads"] > 1:
    with concurrent.futures.ThreadPoolExecutor(request["threads"]) as pool:
        results = list(pool.map(call, request["calls"]))
else:
    results = [call(one) for one in request["calls"]]
json.dump(results, sys.stdout, default=str)
