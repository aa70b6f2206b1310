# The services: what each listens on, reads, reaches and may do. Every name of the configuration that an instance gets is in
# this file or in functions.tf.
locals {
  stores = { for store, port in module.data.ports : store => { security_group_id = module.data.store_security_group_ids[store], port = port } }

  # Every secret of the fleet, by the variable it is read from.
  secrets = merge(
    module.vault.secret_arns,
    {
      MIAOSHA__MYSQL__URL  = module.data.url_secret_arns.mysql
      MIAOSHA__RABBIT__URL = module.data.url_secret_arns.broker
    },
    var.redis == null ? {} : { MIAOSHA__REDIS__URL = module.data.url_secret_arns.redis },
    var.replica == null ? {} : { MIAOSHA__MYSQL__REPLICA_URL = module.data.url_secret_arns.mysql_replica },
  )

  common = merge(
    {
      RUST_LOG                       = "info"
      MIAOSHA__PROCESS__DRAIN_MS_MAX = local.drain_ms
      MIAOSHA__NAMESPACE             = "miaosha"
      MIAOSHA__RABBIT__PARTITIONS    = tostring(var.partitions)
      MIAOSHA__MYSQL__POOL_MAX       = tostring(var.pool_max)
      MIAOSHA__TLS__REQUIRED         = "true"
      MIAOSHA__TLS__CA_FILE          = "/etc/miaosha/ca.pem"
    },
    var.otlp_url == "" ? {} : { MIAOSHA__PROCESS__TRACING__OTLP_URL = var.otlp_url },
  )

  door = {
    listener_arn               = module.edge.listener_arn
    balancer_arn_suffix        = module.edge.balancer_arn_suffix
    balancer_security_group_id = module.edge.balancer_security_group_id
  }

  box_office_port = 3049
  box_office      = var.box_office ? { port = local.box_office_port, listener_arn = module.edge.box_office_listener_arn } : null

  # Two health checks of the balancer and some: whoever is restarted in place gets no new requests before its door closes.
  unready_ms = "12000"
  drain_ms   = "25000"

  receipts = {
    Receipts     = { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources = ["${module.data.receipts.arn}/*"] }
    ReceiptsList = { actions = ["s3:ListBucket"], resources = [module.data.receipts.arn] }
  }

  services = {
    for name, service in local.described : name => merge(service, {
      secrets = {
        for need in service.needs : need => local.secrets[try(service.renamed[need], need)]
        if contains(keys(local.secrets), try(service.renamed[need], need))
      }
      reaches = { for store in service.stores : store => local.stores[store] }
    })
  }

  described = {
    publisher = {
      binary     = "publisher"
      inner_port = 9101
      front      = merge(local.door, { port = 8081, priority = 10, paths = ["/v1/sales/*/attempts"], longest_request_s = 30, leaves_early = false })
      environment = {
        MIAOSHA__PROCESS__INNER_LISTEN = "0.0.0.0:9101"
        MIAOSHA__HTTP__LISTEN          = "0.0.0.0:8081"
        MIAOSHA__HTTP__UNREADY_MS      = local.unready_ms
        MIAOSHA__HTTP__TRUSTED_PROXIES = var.cidr
      }
      needs   = ["MIAOSHA__TOKEN_KEYS", "MIAOSHA__RABBIT__URL"]
      renamed = { MIAOSHA__TOKEN_KEYS = "ADMISSION_KEYS" }
      stores  = ["broker"]
      grants  = {}
      metrics = { miaosha_publisher_attempts_accepted_total = [], miaosha_publisher_attempts_shed_total = ["reason"], miaosha_publisher_attempts_waiting = [] }
    }

    consumer = {
      binary      = "consumer"
      inner_port  = 9102
      front       = null
      environment = { MIAOSHA__PROCESS__INNER_LISTEN = "0.0.0.0:9102" }
      needs       = ["MIAOSHA__RABBIT__URL", "MIAOSHA__REDIS__URL", "MIAOSHA__MYSQL__URL"]
      stores      = ["broker", "redis", "mysql"]
      grants      = {}
      metrics     = { miaosha_consumer_attempts_total = ["outcome"], miaosha_consumer_faults_total = ["part"] }
    }

    payment-consumer = {
      binary     = "payment-consumer"
      inner_port = 9103
      front      = null
      environment = {
        MIAOSHA__PROCESS__INNER_LISTEN    = "0.0.0.0:9103"
        MIAOSHA__ARCHIVE__BUCKET          = module.data.receipts.name
        MIAOSHA__MAIL__QUEUE_URL          = module.data.letters.url
        MIAOSHA__PAYMENTS__SANDBOX        = tostring(!var.stripe)
        MIAOSHA__MAIL__FROM_NAME          = var.mail.from_name
        MIAOSHA__MAIL__FROM_ADDRESS       = var.mail.from_address
        MIAOSHA__MAIL__DOMAIN             = var.domain
        MIAOSHA__MAIL__SHOP_URL           = "https://${var.domain}"
        MIAOSHA__MAIL__UTC_OFFSET_MINUTES = tostring(var.mail.utc_offset_minutes)
      }
      needs  = ["MIAOSHA__RECEIPT_KEYS", "MIAOSHA__RABBIT__URL", "MIAOSHA__REDIS__URL", "MIAOSHA__MYSQL__URL", "MIAOSHA__STRIPE__SECRET_KEY"]
      stores = ["broker", "redis", "mysql"]
      grants = merge(local.receipts, { Letters = { actions = ["sqs:SendMessage"], resources = [module.data.letters.arn] } })
      metrics = {
        miaosha_payments_overdue_seconds    = []
        miaosha_payments_unfreed_seconds    = []
        miaosha_payments_paying_seconds     = []
        miaosha_payments_refund_due_seconds = []
        miaosha_payments_queue_messages     = ["queue"]
        miaosha_relay_oldest_seconds        = []
        miaosha_mail_oldest_unsent_seconds  = []
        miaosha_mail_refused_letters        = []
      }
    }

    gateway = {
      binary     = "gateway"
      inner_port = 9104
      # The longest is a list for operators: gateway.export_ms_max.
      front = merge(local.door, { port = 8082, priority = 1000, paths = ["/*"], longest_request_s = 600, leaves_early = false })
      environment = merge({
        MIAOSHA__PROCESS__INNER_LISTEN = "0.0.0.0:9104"
        MIAOSHA__HTTP__LISTEN          = "0.0.0.0:8082"
        MIAOSHA__HTTP__UNREADY_MS      = local.unready_ms
        MIAOSHA__GATEWAY__TRUSTED_HOPS = tostring(module.edge.trusted_hops)
        MIAOSHA__HTTP__TRUSTED_PROXIES = var.cidr
        MIAOSHA__ARCHIVE__BUCKET       = module.data.receipts.name
        MIAOSHA__PAYMENTS__SANDBOX     = tostring(!var.stripe)

        # Receipts say times in the zone of the letters.
        MIAOSHA__MAIL__UTC_OFFSET_MINUTES = tostring(var.mail.utc_offset_minutes)
        }, var.box_office ? {
        MIAOSHA__BOX_OFFICE__ON     = "true"
        MIAOSHA__BOX_OFFICE__LISTEN = "0.0.0.0:${local.box_office_port}"
      } : {})
      needs = [
        "MIAOSHA__TOKEN_KEYS", "MIAOSHA__RECEIPT_KEYS", "MIAOSHA__RABBIT__URL", "MIAOSHA__REDIS__URL", "MIAOSHA__MYSQL__URL",
        "MIAOSHA__MYSQL__REPLICA_URL", "MIAOSHA__STRIPE__SECRET_KEY", "MIAOSHA__STRIPE__WEBHOOK_SECRETS",
      ]
      stores  = ["broker", "redis", "mysql"]
      grants  = local.receipts
      metrics = { miaosha_gateway_checkouts_total = ["outcome"], miaosha_gateway_sockets = [], miaosha_http_faults_total = ["kind"] }
    }

    sockets = {
      binary     = "gateway"
      inner_port = 9105
      front      = merge(local.door, { port = 8083, priority = 20, paths = ["/ws"], longest_request_s = 30, leaves_early = true })
      environment = {
        MIAOSHA__PROCESS__INNER_LISTEN          = "0.0.0.0:9105"
        MIAOSHA__GATEWAY__SOCKETS__ONLY         = "true"
        MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN = "0.0.0.0:8083"
        MIAOSHA__GATEWAY__SOCKETS__SOCKETS_MAX  = tostring(var.sockets_max)
        MIAOSHA__GATEWAY__TRUSTED_HOPS          = tostring(module.edge.trusted_hops)
        MIAOSHA__HTTP__TRUSTED_PROXIES          = var.cidr
      }
      needs   = ["MIAOSHA__TOKEN_KEYS", "MIAOSHA__RABBIT__URL", "MIAOSHA__REDIS__URL", "MIAOSHA__MYSQL__URL"]
      renamed = { MIAOSHA__TOKEN_KEYS = "ACCESS_PUBLIC_KEYS" }
      stores  = ["broker", "redis", "mysql"]
      grants  = {}
      metrics = { miaosha_gateway_sockets = [], miaosha_gateway_sockets_refused_total = ["why"] }
    }
  }
}
